/* SPDX-License-Identifier: MIT */
/* What installing a service calls of Windows, by the names that Windows has for it, so that a test
 * stands in between: Wine accepts much of it without carrying it out, or refuses it. */
#ifndef BERTH_DAEMON_WINDOWS_SERVICE_CALLS_H
#define BERTH_DAEMON_WINDOWS_SERVICE_CALLS_H

#include <windows.h>

#include <aclapi.h>
#include <lm.h>

struct berth_service_calls {
    /* the service manager */
    SC_HANDLE(WINAPI *OpenSCManagerW)(LPCWSTR machine, LPCWSTR database, DWORD access);
    SC_HANDLE(WINAPI *OpenServiceW)(SC_HANDLE manager, LPCWSTR name, DWORD access);
    SC_HANDLE(WINAPI *CreateServiceW)
    (SC_HANDLE manager, LPCWSTR name, LPCWSTR display_name, DWORD access, DWORD type, DWORD start,
     DWORD error_control, LPCWSTR path, LPCWSTR group, LPDWORD tag, LPCWSTR dependencies,
     LPCWSTR account, LPCWSTR password);
    BOOL(WINAPI *ChangeServiceConfigW)
    (SC_HANDLE service, DWORD type, DWORD start, DWORD error_control, LPCWSTR path, LPCWSTR group,
     LPDWORD tag, LPCWSTR dependencies, LPCWSTR account, LPCWSTR password, LPCWSTR display_name);
    BOOL(WINAPI *ChangeServiceConfig2W)(SC_HANDLE service, DWORD level, LPVOID info);
    BOOL(WINAPI *QueryServiceConfigW)
    (SC_HANDLE service, LPQUERY_SERVICE_CONFIGW config, DWORD size, LPDWORD needed);
    BOOL(WINAPI *DeleteService)(SC_HANDLE service);
    BOOL(WINAPI *StartServiceW)(SC_HANDLE service, DWORD argc, LPCWSTR *argv);
    BOOL(WINAPI *ControlService)(SC_HANDLE service, DWORD control, LPSERVICE_STATUS status);
    BOOL(WINAPI *QueryServiceStatusEx)
    (SC_HANDLE service, SC_STATUS_TYPE level, LPBYTE buffer, DWORD size, LPDWORD needed);
    BOOL(WINAPI *CloseServiceHandle)(SC_HANDLE handle);
    ULONGLONG(WINAPI *GetTickCount64)(void);
    VOID(WINAPI *Sleep)(DWORD ms);

    /* rights on folders; names of files are never long here */
    BOOL(WINAPI *CreateDirectoryW)(LPCWSTR path, LPSECURITY_ATTRIBUTES attributes);
    DWORD(WINAPI *GetFileAttributesW)(LPCWSTR path);
    DWORD(WINAPI *GetNamedSecurityInfoW)
    (LPCWSTR name, SE_OBJECT_TYPE type, SECURITY_INFORMATION parts, PSID *owner, PSID *group,
     PACL *dacl, PACL *sacl, PSECURITY_DESCRIPTOR *descriptor);
    DWORD(WINAPI *SetNamedSecurityInfoW)
    (LPWSTR name, SE_OBJECT_TYPE type, SECURITY_INFORMATION parts, PSID owner, PSID group,
     PACL dacl, PACL sacl);

    /* local groups */
    NET_API_STATUS(WINAPI *NetLocalGroupAddMembers)
    (LPCWSTR server, LPCWSTR group, DWORD level, LPBYTE members, DWORD count);
    NET_API_STATUS(WINAPI *NetLocalGroupDelMembers)
    (LPCWSTR server, LPCWSTR group, DWORD level, LPBYTE members, DWORD count);
    BOOL(WINAPI *LookupAccountSidW)
    (LPCWSTR system, PSID sid, LPWSTR name, LPDWORD name_size, LPWSTR domain, LPDWORD domain_size,
     PSID_NAME_USE use);

    /* the registry */
    LSTATUS(WINAPI *RegCreateKeyExW)
    (HKEY key, LPCWSTR name, DWORD reserved, LPWSTR class_name, DWORD options, REGSAM access,
     const LPSECURITY_ATTRIBUTES attributes, PHKEY out, LPDWORD disposition);
    LSTATUS(WINAPI *RegSetValueExW)
    (HKEY key, LPCWSTR name, DWORD reserved, DWORD type, const BYTE *data, DWORD size);
    LSTATUS(WINAPI *RegCloseKey)(HKEY key);
    LSTATUS(WINAPI *RegDeleteTreeW)(HKEY key, LPCWSTR name);
};

/** Windows's own. */
extern const struct berth_service_calls berth_service_calls_windows;

#endif

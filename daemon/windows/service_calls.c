/* SPDX-License-Identifier: MIT */
#include "daemon/windows/service_calls.h"

const struct berth_service_calls berth_service_calls_windows = {
    .OpenSCManagerW = OpenSCManagerW,
    .OpenServiceW = OpenServiceW,
    .CreateServiceW = CreateServiceW,
    .ChangeServiceConfigW = ChangeServiceConfigW,
    .ChangeServiceConfig2W = ChangeServiceConfig2W,
    .QueryServiceConfigW = QueryServiceConfigW,
    .DeleteService = DeleteService,
    .StartServiceW = StartServiceW,
    .ControlService = ControlService,
    .QueryServiceStatusEx = QueryServiceStatusEx,
    .CloseServiceHandle = CloseServiceHandle,
    .GetTickCount64 = GetTickCount64,
    .Sleep = Sleep,
    .CreateDirectoryW = CreateDirectoryW,
    .GetFileAttributesW = GetFileAttributesW,
    .GetNamedSecurityInfoW = GetNamedSecurityInfoW,
    .SetNamedSecurityInfoW = SetNamedSecurityInfoW,
    .NetLocalGroupAddMembers = NetLocalGroupAddMembers,
    .NetLocalGroupDelMembers = NetLocalGroupDelMembers,
    .LookupAccountSidW = LookupAccountSidW,
    .RegCreateKeyExW = RegCreateKeyExW,
    .RegSetValueExW = RegSetValueExW,
    .RegCloseKey = RegCloseKey,
    .RegDeleteTreeW = RegDeleteTreeW,
};

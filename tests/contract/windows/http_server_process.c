/* SPDX-License-Identifier: MIT */
/* Registers a URL with http.sys: "http_server_process 8080" registers http://localhost:8080/, says
 * "ready" on standard output, and gives it back at the end of its input. Exit status 1: refused. */
#include <http.h>
#include <windows.h>
#include <winsock2.h>

#include <stdio.h>
#include <wchar.h>

int main(int count, char **arguments)
{
    HTTPAPI_VERSION version = {1, 0};
    HANDLE queue = NULL;
    wchar_t url[64];

    if (count != 2) {
        return 2;
    }
    (void)_snwprintf(url, 64, L"http://localhost:%hs/", arguments[1]);
    ULONG result = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);
    if (result == NO_ERROR) {
        result = HttpCreateHttpHandle(&queue, 0);
    }
    if (result == NO_ERROR) {
        result = HttpAddUrl(queue, url, NULL);
    }
    if (result != NO_ERROR) {
        (void)printf("refused: %lu\n", result);
        return 1;
    }
    (void)puts("ready");
    (void)fflush(stdout);
    while (getchar() != EOF) {
    }
    (void)HttpRemoveUrl(queue, url);
    (void)CloseHandle(queue);
    (void)HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
    return 0;
}

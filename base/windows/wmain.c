/* SPDX-License-Identifier: MIT */
/* The entry point of each program on Windows: gives main() its arguments in UTF-8. The C library's
 * own are in the system's code page, which has no place for most of what a name may hold. */
#include "base/memory.h"
#include "base/windows/wide.h"

#include <stdio.h>
#include <wchar.h>

int main(int argc, char **argv);
int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    int status = 1;
    char **narrow = berth_alloc((size_t)argc + 1, sizeof *narrow);
    int made = 0;

    while (narrow != NULL && made < argc) {
        narrow[made] = berth_narrow(argv[made]);
        if (narrow[made] == NULL) {
            break;
        }
        made++;
    }
    if (made == argc && narrow != NULL) {
        status = main(argc, narrow);
    } else {
        (void)fputs("out of memory for the command line\n", stderr);
    }
    for (int i = 0; narrow != NULL && i < made; i++) {
        berth_free(narrow[i]);
    }
    berth_free(narrow);
    return status;
}

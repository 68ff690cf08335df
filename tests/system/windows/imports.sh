#!/bin/sh
# SPDX-License-Identifier: MIT
# Each program must be one file: it may import from DLLs that every Windows has, and from no others.
#   imports.sh OBJDUMP PROGRAM.exe…
set -u
objdump=$1
shift
system=' advapi32.dll dbghelp.dll httpapi.dll iphlpapi.dll kernel32.dll msvcrt.dll netapi32.dll ntdll.dll ole32.dll oleaut32.dll
 psapi.dll secur32.dll shell32.dll tdh.dll user32.dll userenv.dll wevtapi.dll ws2_32.dll '
failures=0
for program; do
    imports=$("$objdump" -p "$program" | sed -n 's/^[[:space:]]*DLL Name: //p' | tr '[:upper:]' '[:lower:]')
    [ -n "$imports" ] || { echo "$program: no import table was found"; failures=$((failures + 1)); }
    for dll in $imports; do
        case $system in
        *[[:space:]]"$dll"[[:space:]]*) ;;
        *) echo "$program imports from $dll, which is not one of Windows'"; failures=$((failures + 1)) ;;
        esac
    done
    echo "$(basename "$program"):" $imports
done
[ "$failures" -eq 0 ]

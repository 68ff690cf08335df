#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares what Berth reads in files of IIS with what xmllint finds by XPath, an independent reading.
#
#   compare_samples.sh IIS_DUMP FOLDER [EMULATOR]
#
# With an emulator IIS_DUMP is a Windows program, which it starts.
#
# Every *.config in FOLDER: both must refuse it, or both must find the same sites, bindings and
# ports. The XPath side knows no siteDefaults/bindings, <clear> or <remove>: a file that has them is
# compared by the bindings that are written in its sites only, and said so. Exit status 77: no
# xmllint here.
set -u
dump=$1
folder=$2
emulator=${3:-}
command -v xmllint >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "site TAB protocol TAB information" of each binding, by XPath, one value a call and line.
by_xpath() {
    sites='/configuration/system.applicationHost/sites/site'
    site_count=$(xmllint --nonet --xpath "count($sites)" "$1" 2>/dev/null) || return 1
    i=1
    while [ "$i" -le "$site_count" ]; do
        bindings="$sites[$i]/bindings/binding"
        site_name=$(xmllint --nonet --xpath "string($sites[$i]/@name)" "$1")
        binding_count=$(xmllint --nonet --xpath "count($bindings)" "$1")
        k=1
        while [ "$k" -le "$binding_count" ]; do
            protocol=$(xmllint --nonet --xpath "string($bindings[$k]/@protocol)" "$1")
            information=$(xmllint --nonet --xpath "string($bindings[$k]/@bindingInformation)" "$1")
            printf '%s\t%s\t%s\t%s\n' "$site_name" "$protocol" "$information" \
                "$(port_of "$protocol" "$information")"
            k=$((k + 1))
        done
        i=$((i + 1))
    done
}

# The port, worked out with regular expressions.
port_of() {
    protocol=$(printf '%s' "$1" | tr '[:upper:]' '[:lower:]')
    three='^(\*|[0-9.]*|\[[0-9a-fA-F:.%]+\]):([0-9]*):([^:]*)$'
    two='^([0-9]*):([^:]*)$'
    case $protocol in
    net.pipe | net.msmq | msmq.formatname) echo - && return ;;
    http) form=$three group=2 port=80 wrong='?' ;;
    https) form=$three group=2 port=443 wrong='?' ;;
    ftp) form=$three group=2 port=21 wrong='?' ;;
    net.tcp) form=$two group=1 port=808 wrong='?' ;;
    *)
        form=$three group=2 port='' wrong='-'
        printf '%s\n' "$2" | grep -Eq "$two" && form=$two group=1
        ;;
    esac
    if ! printf '%s\n' "$2" | grep -Eq "$form"; then
        echo "$wrong"
        return
    fi
    written=$(printf '%s\n' "$2" | sed -E "s/$form/\\$group/")
    port=${written:-$port}
    if [ -n "$port" ] && [ "$port" -ge 1 ] && [ "$port" -le 65535 ]; then
        echo "$port"
    else
        echo "$wrong"
    fi
}

failures=0
for file in "$folder"/*.config; do
    name=${file##*/}
    collection='/configuration/system.applicationHost/sites/*/bindings'
    inherited=$(xmllint --nonet --xpath \
        "count($collection/clear | $collection/remove | $collection[parent::siteDefaults]/*)" \
        "$file" 2>/dev/null)
    by_xpath "$file" >"$work/expected" 2>/dev/null
    expected_status=$?
    if [ -n "$emulator" ]; then
        "$emulator" "$dump" "$file" >"$work/found" 2>"$work/why"
    else
        "$dump" "$file" >"$work/found" 2>"$work/why"
    fi
    found_status=$?
    sed -i 's/\r$//' "$work/found" "$work/why" # line ends of Windows
    if [ "$expected_status" -ne 0 ] || [ "$found_status" -ne 0 ]; then
        if [ "$expected_status" -ne 0 ] && [ "$found_status" -eq 1 ]; then
            echo "same  $name: refused by both: $(cat "$work/why")"
            continue
        fi
        echo "DIFF  $name: xmllint $expected_status, berth $found_status $(cat "$work/why")"
        failures=$((failures + 1))
        continue
    fi
    note=
    if [ "${inherited:-0}" -gt 0 ]; then
        # what siteDefaults adds is not in the expectation: leave it out of the other side too
        default=$(xmllint --nonet --xpath \
            "string(/configuration/system.applicationHost/sites/siteDefaults/bindings/binding/@bindingInformation)" \
            "$file")
        grep -vF "	$default	" "$work/found" >"$work/own"
        mv "$work/own" "$work/found"
        note=' (without those of siteDefaults)'
    fi
    if diff "$work/expected" "$work/found" >"$work/difference"; then
        ports=$(cut -f4 "$work/found" | grep -c '[0-9]')
        echo "same  $name: $(wc -l <"$work/found") bindings, $ports with a port$note"
    else
        echo "DIFF  $name"
        cat "$work/difference"
        failures=$((failures + 1))
    fi
done
[ "$failures" -eq 0 ]

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Asks the bash completion for what it would offer.
# usage: cli_completion.sh COMPLETION_FILE
# shellcheck disable=SC1090
set -u
source "$1"
failures=0

# expect OFFER WORDS…: the offers for the last word, sorted and parted by blanks
expect() {
    local offers=$1 got
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _berth
    got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' ')
    if [ "$got" != "$offers" ]; then
        failures=$((failures + 1))
        echo "FAILED '$*': '$got' (expected '$offers')"
    fi
}

expect "allocate" berth al
expect "release reload renew" berth re
expect "--json" berth --j
expect "--pool --port --prefer --protocol" berth allocate --p
expect "net.tcp" berth allocate --protocol n
expect "env" berth --json allocate --format e
expect "--lease" berth --endpoint x release --l
expect "httpsys" berth ports --source h
expect "who" berth help wh
expect "" berth who 8

[ "$failures" = 0 ] && echo "all passed"
[ "$failures" = 0 ]

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the program itself against the scripted server: statuses, streams, pipes, the environment.
# usage: cli_against_script.sh BERTH SCRIPTED_SERVER [EMULATOR]
# With an emulator both are Windows programs, which it starts.
set -u
program=$1
server=$2
emulator=${3:-}
folder=$(mktemp -d)
failures=0
if [ -n "$emulator" ]; then
    name='\\.\pipe\'$(basename "$folder")
    export BERTH_ENDPOINT=$name-berth absent=$name-none
    no_such='no such pipe'
    start="start it with 'net start Berth' as an administrator, or run berthd.exe in a console"
else
    export BERTH_ENDPOINT=$folder/berth.sock absent=$folder/none
    no_such='no such socket'
    start="start it with 'systemctl start berthd', or in a terminal with 'berthd'"
fi
unset COLUMNS
run() { if [ -n "$emulator" ]; then "$emulator" "$@"; else "$@"; fi; }
berth() { run "$program" "$@"; }

cat >"$folder/script" <<'END'
next result {"ports":[49000],"revision":1}
allocate result {"port":49001,"ports":[49001],"lease":"L1"}
free result {"revision":1,"pools":[{"name":"default","range":[1,65535],"total":65535,"free":65535,"ranges":[[1,65535]],"next":1}]}
release error {"code":-32005,"message":"there is no lease of key x","data":{"reason":"not_found"}}
renew error {"code":-32006,"message":"not yours","data":{"reason":"denied","owner":"alice"}}
who error {"code":-32004,"message":"wait","data":{"reason":"not_ready","sources":["iis"]}}
hello silent
ports close
END

coproc SERVER { run "$server" "$BERTH_ENDPOINT" "$folder/script" "$folder/log"; }
server_pid=$SERVER_PID
end() {
    [ -n "${SERVER[1]:-}" ] && eval "exec ${SERVER[1]}>&-"
    wait "$server_pid" 2>/dev/null
    rm -rf "$folder"
}
trap end EXIT
read -r ready <&"${SERVER[0]}"
ready=${ready%$'\r'}
[ "$ready" = ready ] || { echo "the scripted server did not start"; exit 1; }

# expect NAME STATUS STDOUT STDERR -- arguments…
expect() {
    local name=$1 status=$2 out=$3 err=$4 got
    shift 5
    berth "$@" >"$folder/out" 2>"$folder/err"
    got=$?
    if [ "$got" != "$status" ] || [ "$(cat "$folder/out")" != "$out" ] ||
        [ "$(cat "$folder/err")" != "$err" ]; then
        failures=$((failures + 1))
        echo "FAILED $name: status $got (expected $status)"
        sed 's/^/  out: /' "$folder/out"
        sed 's/^/  err: /' "$folder/err"
    fi
}

# check NAME CONDITION…
check() {
    local name=$1
    shift
    "$@" || { failures=$((failures + 1)); echo "FAILED $name"; }
}

expect next 0 49000 '' -- next
expect json 0 '{"ports":[49000],"revision":1}' '' -- --json next
expect octopus 0 "##octopus[setVariable name='UG9ydA==' value='NDkwMDE=']" '' -- \
    allocate shop --format octopus
expect not_found 7 '' 'berth: there is no lease of key x' -- release --key x
expect denied 5 '' \
    'berth: not yours (the owner is alice); let the owner or an administrator do it' -- \
    renew --key x
expect not_ready 6 '' "berth: the daemon is not ready: it still waits for iis; 'berth status' \
tells why, try again then" -- who 80
expect usage 2 '' "berth: there is no command 'nxt'; did you mean 'next'? See 'berth help'" -- nxt
expect closed 4 '' 'berth: the daemon closed the connection without an answer' -- ports
expect silent 4 "$(berth --version)" \
    "berth: the daemon at $BERTH_ENDPOINT did not answer within 100 ms" -- \
    version --timeout 100ms

eval "$(berth allocate shop --format env)"
check env [ "${BERTH_PORT:-}" = 49001 ]

# a reader that goes away, with SIGPIPE at work and without
berth free --list 2>"$folder/err" | head -n 1 >"$folder/out"
check "pipe: first line" [ "$(cat "$folder/out")" = 1 ]
check "pipe: quiet" [ ! -s "$folder/err" ]
(trap '' PIPE; berth free --list 2>"$folder/err"; echo $? >"$folder/status") | head -n 1 >/dev/null
check "pipe, signal ignored: quiet" [ ! -s "$folder/err" ]
check "pipe, signal ignored: status" [ "$(cat "$folder/status")" = 1 ]

# a full disk must not look like a port that was given
berth allocate shop >/dev/full 2>"$folder/err"
check "full disk: status" [ $? = 1 ]
check "full disk: told" grep -q '^berth: cannot write the output: ' "$folder/err"

# bytes that are not there: no trailing text, exactly one line
check "bytes" [ "$(berth allocate shop | od -An -c | tr -d ' ')" = '49001\n' ]

expect dead 4 '' "berth: no daemon at $absent ($no_such); $start, or name its endpoint with --endpoint or \
BERTH_ENDPOINT" -- next --endpoint "$absent"

[ "$failures" = 0 ] && echo "all passed"
[ "$failures" = 0 ]

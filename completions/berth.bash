# SPDX-License-Identifier: MIT
# Bash completion for berth(1). Load it with `source`, or install it as
# /usr/share/bash-completion/completions/berth.

# Prints the options of a command.
_berth_options()
{
    case $1 in
        allocate)
            echo "--generation --keep --pool --range --port --prefer --count --contiguous --ttl" \
                "--holder --site --protocol --hold --meta --format --variable"
            ;;
        release) echo "--lease --key --generation --port" ;;
        renew) echo "--lease --key --generation --ttl" ;;
        next) echo "--pool --range --count" ;;
        free) echo "--count --ranges --list --pool" ;;
        ports) echo "--source --pool" ;;
        leases) echo "--key --port --state --export" ;;
        conflicts) echo "--check" ;;
        adopt) echo "--site --apply" ;;
        watch) echo "--topic --since" ;;
        history) echo "--limit" ;;
    esac
}

# Prints the values that the option $2 of the command $1 can have.
_berth_values()
{
    case $1:$2 in
        allocate:--format) echo "plain json octopus env" ;;
        allocate:--holder) echo "site: process: any" ;;
        allocate:--protocol) echo "tcp http https ftp net.tcp" ;;
        ports:--source) echo "lease iis tcp httpsys excluded reserved" ;;
        leases:--state) echo "pending active lingering expired released" ;;
        watch:--topic) echo "ports leases conflicts sources pools" ;;
    esac
}

_berth()
{
    local commands="allocate release renew next free who ports leases conflicts history adopt
        import handover status watch reload version help"
    local globals="--endpoint --json --timeout --help --version"
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command="" i

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            --endpoint | --timeout) ((i++)) ;;
            -* | =) ;;
            *)
                command=${COMP_WORDS[i]}
                break
                ;;
        esac
    done

    if [[ $before == --endpoint || ($command == import && $word != -*) ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    elif [[ -n $command && -n $(_berth_values "$command" "$before") ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_berth_values "$command" "$before")" -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_berth_options "$command") $globals" -- "$word")
    elif [[ -z $command || $command == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
    fi
}

complete -F _berth berth

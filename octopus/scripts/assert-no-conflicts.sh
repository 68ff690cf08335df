# SPDX-License-Identifier: MIT
# Berth - Assert No Conflicts (Bash): fails (or warns) when two things claim one port.
# <include common/berth-step.sh>

prefix=Berth.Assert

ports=$(step_value "$prefix.Ports")
ports=" ${ports//[,;[:space:]]/ } "
for port in $ports; do
  if ! [[ $port =~ ^[0-9]{1,5}$ ]] || ((10#$port < 1 || 10#$port > 65535)); then
    stop_step "Ports has '$port', which is no port: numbers from 1 to 65535 are needed, with commas between."
  fi
done
severity=$(step_value "$prefix.Severity")
step_number "$prefix.Settle" 'Settle time' 0 600
settle=${NUMBER:-5}
greet "$prefix"
assert_machine "$(step_value "$prefix.WorkerCheck")"
sleep "$settle" # a conflict is told when it has lasted for the daemon's debounce time, 2 s by default
berth_ask "$prefix" conflicts || stop_step "$(error_text)"
texts=()
for ((i = 0; ; i++)); do
  port=${ANSWER[.conflicts.$i.port]:-}
  [ -n "$port" ] || break
  [ -z "$severity" ] || [ "${ANSWER[.conflicts.$i.severity]:-}" = "$severity" ] || continue
  [[ -z ${ports// /} || $ports == *" $port "* ]] || continue
  text=${ANSWER[.conflicts.$i.text]:-Port $port has a conflict}
  text=${text^}
  [[ $text == *[.!?] ]] || text+=.
  texts+=("$text")
done
where="on $HOST"
[ -z "${ports// /}" ] || where="for port$(printf ' %s' $ports) on $HOST"
if [ ${#texts[@]} -eq 0 ]; then
  say "No conflict $where."
elif [ "$(step_value "$prefix.OnConflict")" = warn ]; then
  for text in "${texts[@]}"; do say_warning "$text"; done
else
  stop_step "${#texts[@]} conflict(s) $where: ${texts[*]}"
fi

# SPDX-License-Identifier: MIT
# Berth - Release Port (Bash): gives the ports of a key back.
# <include common/berth-step.sh>

prefix=Berth.Release

find_key "$prefix"
generation=$(step_value "$prefix.Generation")
greet "$prefix"
assert_machine "$(step_value "$prefix.WorkerCheck")"
which=$KEY
[ -z "$generation" ] || [ "$generation" = '*' ] || which="$KEY, generation $generation"

# of the key the leases of the generation asked for; all with "*"
berth_ask "$prefix" leases --key "$KEY" || stop_step "$(error_text)"
leases=()
for ((i = 0; ; i++)); do
  [ -n "${ANSWER[.leases.$i.lease]:-}" ] || break
  if [ "$generation" = '*' ] || [ "${ANSWER[.leases.$i.generation]:-}" = "$generation" ]; then
    leases+=("${ANSWER[.leases.$i.lease]}")
  fi
done
if [ ${#leases[@]} -eq 0 ]; then
  text="Nothing to release on $HOST: there is no lease of the key $which."
  [ "$(step_value "$prefix.MustExist")" != True ] || stop_step "$text"
  say "$text"
fi
for lease in "${leases[@]}"; do
  if berth_ask "$prefix" release --lease "$lease"; then
    ports=
    for ((i = 0; ; i++)); do
      [ -n "${ANSWER[.released.$i]:-}" ] || break
      ports+="${ports:+, }${ANSWER[.released.$i]}"
    done
    say_highlight "Released port $ports on $HOST, of the key $which."
  elif [ "${ANSWER[.data.reason]:-}" = not_found ]; then
    say "The lease $lease had ended already." # by another step or by its time: that is what was wanted
  else
    stop_step "$(error_text)"
  fi
done

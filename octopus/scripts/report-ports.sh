# SPDX-License-Identifier: MIT
# Berth - Report Ports (Bash): attaches the machine's table of ports as an artifact.
# <include common/berth-step.sh>

prefix=Berth.Report

# A spreadsheet would run a cell that begins so, and a site's name may be anything.
csv_cell() {
  local text=$1
  [[ $text != [=+@-]* ]] || text="'$text"
  printf '"%s"' "${text//\"/\"\"}"
}

# The rows PORT<tab>STATE<tab>WHO of the answer.
rows() {
  local i
  for ((i = 0; ; i++)); do
    [ -n "${ANSWER[.ports.$i.port]:-}" ] || break
    printf '%s\t%s\t%s\n' "${ANSWER[.ports.$i.port]}" "${ANSWER[.ports.$i.state]:-}" "$(claims_text ".ports.$i.claims")"
  done
}

write_report() {
  local port state who
  case $format in
    json) printf '%s\n' "$RAW" ;;
    csv)
      printf '\xef\xbb\xbf"Port","State","Who"\r\n' # with a mark, so that a spreadsheet takes it as UTF-8
      rows | while IFS=$'\t' read -r port state who; do
        printf '%s,%s,%s\r\n' "$port" "$(csv_cell "$state")" "$(csv_cell "$who")"
      done ;;
    txt)
      printf 'Ports that are not free on %s, told by Berth %s\n\nPORT   STATE     WHO\n' "$HOST" "$version"
      rows | while IFS=$'\t' read -r port state who; do printf '%-6s %-9s %s\n' "$port" "$state" "$who"; done ;;
  esac
}

format=$(step_value "$prefix.Format")
format=${format:-txt}
case $format in
  txt | csv | json) ;;
  *) stop_step "Format is '$format'; txt, csv or json is needed." ;;
esac
pool=$(step_value "$prefix.Pool")
greet "$prefix"
version=${ANSWER[.daemon.version]:-?}
assert_machine "$(step_value "$prefix.WorkerCheck")"
if [ -n "$pool" ]; then set -- ports "--pool=$pool"; else set -- ports; fi
berth_ask "$prefix" "$@" || stop_step "$(error_text)"
name="berth-ports-${HOST//[^A-Za-z0-9._-]/_}.$format"
# the step's own folder: Octopus collects the file when the step has ended, and removes the folder then
write_report > "$name" || stop_step "The report could not be written to $PWD/$name."
new_octopusartifact "$PWD/$name" "$name"
say "Attached $name."

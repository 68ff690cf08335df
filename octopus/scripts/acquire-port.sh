# SPDX-License-Identifier: MIT
# Berth - Acquire Port (Bash): asks Berth for ports and sets them as output variables.
# <include common/berth-step.sh>

prefix=Berth.Acquire

# Fills NAMES: as many as ports; or one, which then stands for the first port, and NAME_1, NAME_2 ... for all.
find_names() {
  local name
  NAMES=()
  while IFS= read -r -d , name; do
    name="${name#"${name%%[![:space:]]*}"}"
    name="${name%"${name##*[![:space:]]}"}"
    [ -z "$name" ] || NAMES+=("$name")
  done <<<"$(step_value "$prefix.OutputVariable"),"
  [ ${#NAMES[@]} -gt 0 ] || NAMES=(Port)
  if [ ${#NAMES[@]} -ne 1 ] && [ ${#NAMES[@]} -ne "$1" ]; then
    stop_step "Output variable names ${#NAMES[@]} variables for $1 port(s): give as many names as ports, or one."
  fi
}

# At most 180 bytes (4 KiB is the limit for all notes), and no half of a character.
shorten() {
  local LC_ALL=C text=$1
  if [ ${#text} -gt 180 ]; then
    text=${text:0:180}
    while [[ $text == *[$'\x80'-$'\xbf'] ]]; do text=${text%?}; done
    [[ $text != *[$'\xc0'-$'\xff'] ]] || text=${text%?}
  fi
  printf '%s' "$text"
}

# Adds "--meta name=value" to REQUEST for what people call things; the key has the ids.
add_meta() {
  local row value
  REQUEST+=(--meta by=octopus)
  for row in space=Octopus.Space.Name project=Octopus.Project.Name environment=Octopus.Environment.Name \
    tenant=Octopus.Deployment.Tenant.Name channel=Octopus.Release.Channel.Name release=Octopus.Release.Number \
    deployment=Octopus.Deployment.Id runbookRun=Octopus.RunbookRun.Id target=Octopus.Machine.Name \
    step=Octopus.Step.Name; do
    value=$(step_value "${row#*=}")
    value=${value//[[:cntrl:]]/ }
    value=$(shorten "$value")
    [ -z "$value" ] || REQUEST+=(--meta "${row%%=*}=$value")
  done
}

# Fills REQUEST, the words of "berth allocate", with the parameters that are not empty.
build_request() {
  local row value site holder
  REQUEST=(allocate)
  for row in generation=Generation pool=Pool protocol=Protocol ttl=Ttl; do
    value=$(step_value "$prefix.${row#*=}")
    [ -z "$value" ] || REQUEST+=("--${row%%=*}=$value")
  done
  value=$(step_value "$prefix.Range")
  if [ -n "$value" ]; then
    [[ $value =~ ^[0-9]{1,5}\ *-\ *[0-9]{1,5}$ ]] ||
      stop_step "Range is '$value'; two ports such as 49000-49999 are needed, the lower one first."
    REQUEST+=("--range=${value// /}")
  fi
  site=$(step_value "$prefix.SiteName")
  holder=$(step_value "$prefix.Holder")
  [ -n "$holder" ] || [ -z "$site" ] || holder="site:$site"
  [ -z "$holder" ] || REQUEST+=("--holder=$holder")
  step_number "$prefix.Keep" Keep 1 65535
  if [ -n "$NUMBER" ]; then
    [ -n "$(step_value "$prefix.Generation")" ] ||
      stop_step 'Keep says how many generations stay, and Generation is empty: give one, such as #{Octopus.Release.Number}.'
    REQUEST+=("--keep=$NUMBER")
  fi
  step_number "$prefix.Port" 'Exact port' 1 65535
  [ -z "$NUMBER" ] || REQUEST+=("--port=$NUMBER")
  step_number "$prefix.Prefer" 'Preferred port' 1 65535
  PREFER=$NUMBER
  [ -z "$NUMBER" ] || REQUEST+=("--prefer=$NUMBER")
  step_number "$prefix.Count" Count 1 64
  COUNT=${NUMBER:-1}
  REQUEST+=("--count=$COUNT")
  [ "$(step_value "$prefix.Contiguous")" != True ] || REQUEST+=(--contiguous)
  add_meta
  find_key "$prefix"
  REQUEST+=(-- "$KEY")
}

# Asks until there is an answer other than "not yet", at most for the step's time limit.
allocate() {
  local told= limit
  step_number "$prefix.Timeout" Timeout 1 3600
  limit=$((SECONDS + ${NUMBER:-30}))
  until berth_ask "$prefix" "${REQUEST[@]}"; do
    case ${ANSWER[.data.reason]:-} in
      not_ready | busy) [ "$SECONDS" -lt "$limit" ] || stop_step "$(error_text)" ;;
      *) stop_step "$(error_text)" ;;
    esac
    [ -n "$told" ] || say "Waiting for Berth: $(error_text)"
    told=yes
    sleep 0.5
  done
}

set_outputs() {
  local i
  if [ ${#NAMES[@]} -eq ${#PORTS[@]} ]; then
    for ((i = 0; i < ${#PORTS[@]}; i++)); do set_octopusvariable "${NAMES[i]}" "${PORTS[i]}"; done
  else
    set_octopusvariable "${NAMES[0]}" "${PORTS[0]}"
    for ((i = 0; i < ${#PORTS[@]}; i++)); do set_octopusvariable "${NAMES[0]}_$((i + 1))" "${PORTS[i]}"; done
  fi
  set_octopusvariable Berth.Key "${ANSWER[.key]}"
  set_octopusvariable Berth.Lease "${ANSWER[.lease]}"
}

tell_result() {
  local what="Port ${PORTS[0]}" how=new until='while it is used' generation=
  [ ${#PORTS[@]} -eq 1 ] || { what="Ports ${PORTS[*]}"; what=${what// /, }; what=${what/Ports,/Ports}; }
  [ "${ANSWER[.reused]:-}" != true ] || how='the same as before'
  [ "${ANSWER[.adopted]:-}" != true ] || how="taken over from the site's binding"
  [ -z "${ANSWER[.expires_at]:-}" ] || until="until ${ANSWER[.expires_at]} at least"
  say_highlight "$what on $HOST ($how), kept $until."
  [ -z "${ANSWER[.generation]:-}" ] || generation=", generation ${ANSWER[.generation]}"
  say "Key ${ANSWER[.key]}$generation, lease ${ANSWER[.lease]}, ${ANSWER[.state]}."
  if [ "${ANSWER[.ephemeral]:-}" = true ]; then
    say_warning "$what lies in the range from which the system takes ports for outgoing connections: another program may come upon it before the site is started. Give the pool ports outside that range, or ephemeral=\"never\" in berthd.config."
  fi
  if [ -n "${ANSWER[.lost.port]:-}" ]; then
    say_highlight "Port ${ANSWER[.lost.port]}, which this key had, was taken by somebody else: $(claims_text .lost.claims)."
  fi
}

# Who has the port that was preferred, and why it was skipped.
tell_skipped() {
  local reused=${ANSWER[.reused]:-} why
  [ -n "$PREFER" ] && [[ " ${PORTS[*]} " != *" $PREFER "* ]] || return 0
  berth_ask "$prefix" who "$PREFER" || return 0
  why=${ANSWER[.why]:-${ANSWER[.0.why]:-}}
  if [ "$reused" = true ]; then
    say_highlight "The preferred port $PREFER was not looked at: the key keeps the port that it has. $why"
  else
    say_highlight "The preferred port $PREFER was skipped. $why"
  fi
}

build_request
find_names "$COUNT"
greet "$prefix"
assert_machine "$(step_value "$prefix.WorkerCheck")"
allocate
PORTS=()
for ((i = 0; i < COUNT; i++)); do PORTS+=("${ANSWER[.ports.$i]}"); done
set_outputs
tell_result
tell_skipped

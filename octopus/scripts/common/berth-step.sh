# SPDX-License-Identifier: MIT
# What every Berth step does around its call, for Bash 4 and later. Talks to Berth through the program berth,
# which is installed with the daemon; needs awk besides. Every call has a time limit.

set -f # Octopus's write_highlight has its text unquoted: a "*" would become file names
declare -A ANSWER=()

# Texts from outside must not be read as Octopus's service messages, and a line that ends with "#" would
# swallow the next message.
log_text() {
  local text=${1//[[:cntrl:]]/ }
  text=${text//'##'/'# #'}
  text=${text//'##'/'# #'}
  text=${text//'#o'/'# o'}
  [[ $text == *'#' ]] && text+='.'
  printf '%s' "$text"
}

say() { printf '%s\n' "$(log_text "$1")"; }
say_highlight() { write_highlight "$(log_text "$1")"; }
say_warning() { write_warning "$(log_text "$1")"; }

# Ends the step: the sentence in red in the log, and as the step's result.
stop_step() {
  echo '##octopus[stdout-error]'
  say "$1"
  echo '##octopus[stdout-default]'
  fail_step "$1"
}

# A variable's value, trimmed; empty when it is not set or Octopus could not resolve it (it leaves "#{...}").
step_value() {
  local value
  value=$(get_octopusvariable "$1")
  value="${value#"${value%%[![:space:]]*}"}"
  value="${value%"${value##*[![:space:]]}"}"
  [[ $value =~ ^'#{'[^}]*'}'$ ]] && value=
  printf '%s' "$value"
}

# step_number NAME LABEL LEAST MOST: sets NUMBER, empty when the parameter is.
step_number() {
  NUMBER=$(step_value "$1")
  [ -n "$NUMBER" ] || return 0
  if ! [[ $NUMBER =~ ^[0-9]{1,6}$ ]] || ((10#$NUMBER < $3 || 10#$NUMBER > $4)); then
    stop_step "$2 is '$NUMBER'; a whole number from $3 to $4 is needed."
  fi
  NUMBER=$((10#$NUMBER))
}

# A part of a key: all but letters, digits and "-._~" percent-encoded, byte by byte.
key_part() {
  local LC_ALL=C text=$1 out= char i
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    case $char in
      [abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-]) out+=$char ;;
      *) printf -v char '%%%02X' "$(($(printf '%d' "'$char") & 255))"; out+=$char ;;
    esac
  done
  printf '%s' "${out:--}"
}

# Sets KEY: what the parameter says, else built of ids, which renames do not change. Acquire and release build
# the same one: octopus/SPACE/PROJECT/ENVIRONMENT/TENANT/CHANNEL/PURPOSE, "-" for what there is not.
find_key() {
  local prefix=$1 purpose channel name
  KEY=$(step_value "$prefix.Key")
  [ -z "$KEY" ] || return 0
  purpose=$(step_value "$prefix.Purpose")
  [ -n "$purpose" ] || purpose=$(step_value "$prefix.SiteName")
  [ -n "$purpose" ] ||
    stop_step 'Purpose and Site name are empty: one of them is needed to tell this port from the others of the same project.'
  channel=$(step_value "$prefix.Channel")
  if [ -z "$channel" ] && [[ $(get_octopusvariable "$prefix.Channel") == *'#{'* ]]; then
    stop_step "Channel is '$(get_octopusvariable "$prefix.Channel")', which has no value here (a runbook has no channel). Give the channel's id, such as Channels-1, or leave it empty in every step of this project."
  fi
  KEY=octopus
  for name in Octopus.Space.Id Octopus.Project.Id Octopus.Environment.Id Octopus.Deployment.Tenant.Id; do
    KEY+="/$(key_part "$(step_value "$name")")"
  done
  KEY+="/$(key_part "$channel")/$(key_part "$purpose")"
}

# JSON on standard input, as lines PATH<tab>VALUE: ".ports.0<tab>49000". Control characters become blanks, so
# that a value is one line.
flatten_json() {
  LC_ALL=C awk '
    function blank() { while (substr(s, i, 1) ~ /[ \t\r\n]/) i++ }
    function utf8(c) {
      if (c < 32 || c == 127) return " "
      if (c < 128) return sprintf("%c", c)
      if (c < 2048) return sprintf("%c%c", 192 + int(c / 64), 128 + c % 64)
      if (c < 65536) return sprintf("%c%c%c", 224 + int(c / 4096), 128 + int(c / 64) % 64, 128 + c % 64)
      return sprintf("%c%c%c%c", 240 + int(c / 262144), 128 + int(c / 4096) % 64, 128 + int(c / 64) % 64, 128 + c % 64)
    }
    function hex4(    k, v) {
      v = 0
      for (k = 1; k <= 4; k++) v = v * 16 + index("0123456789abcdef", tolower(substr(s, i + k, 1))) - 1
      i += 4
      return v
    }
    function text(    out, c, code, from) {
      out = ""
      i++
      while (i <= n) {
        from = i
        while (i <= n && (c = substr(s, i, 1)) != "\"" && c != "\\") i++
        out = out substr(s, from, i - from)
        if (i > n) bad()
        if (c == "\"") { i++; return out }
        i++
        c = substr(s, i, 1)
        if (c == "u") {
          code = hex4()
          if (code >= 55296 && code < 56320 && substr(s, i + 1, 2) == "\\u") { i += 2; code = 65536 + (code - 55296) * 1024 + hex4() - 56320 }
          out = out utf8(code)
        } else out = out (c ~ /[bfnrt]/ ? " " : c)
        i++
      }
      bad()
    }
    function bad() { failed = 1; exit 1 }
    function value(path,    c, from, key, k) {
      blank()
      c = substr(s, i, 1)
      if (c == "{") {
        i++; blank()
        if (substr(s, i, 1) == "}") { i++; return }
        while (i <= n) {
          blank(); key = text(); blank()
          if (substr(s, i++, 1) != ":") bad()
          value(path "." key); blank()
          c = substr(s, i++, 1)
          if (c == "}") return
          if (c != ",") bad()
        }
        bad()
      } else if (c == "[") {
        i++; blank()
        if (substr(s, i, 1) == "]") { i++; return }
        for (k = 0; i <= n; k++) {
          value(path "." k); blank()
          c = substr(s, i++, 1)
          if (c == "]") return
          if (c != ",") bad()
        }
        bad()
      } else if (c == "\"") {
        print path "\t" text()
      } else {
        from = i
        while (i <= n && substr(s, i, 1) ~ /[-+.0-9A-Za-z]/) i++
        if (i == from) bad()
        c = substr(s, from, i - from)
        if (c != "null") print path "\t" c
      }
    }
    { s = s $0 " " }
    END { if (failed) exit 1; i = 1; n = length(s); value(""); blank(); if (i <= n) exit 1 }'
}

# Finds the program; sets BERTH.
find_berth() {
  local place
  BERTH=$(command -v berth || true)
  for place in /usr/bin/berth /usr/local/bin/berth; do
    [ -n "$BERTH" ] || [ ! -x "$place" ] || BERTH=$place
  done
  [ -n "$BERTH" ] ||
    stop_step "The program berth is neither on PATH nor in /usr/bin on $(uname -n): install Berth on this machine as its README says."
}

# berth_ask PREFIX WORD...: calls Berth; fills ANSWER with the result or the error, and RAW with its JSON.
# Returns berth's exit status.
berth_ask() {
  local prefix=$1 endpoint timeout status path value flat
  local options=(--json)
  shift
  endpoint=$(step_value "$prefix.Endpoint")
  step_number "$prefix.Timeout" Timeout 1 3600
  timeout=${NUMBER:-30}
  [ -z "$endpoint" ] || options+=(--endpoint "$endpoint")
  RAW=$("$BERTH" "${options[@]}" --timeout "$timeout" "$@" 2>&1 </dev/null)
  status=$?
  ANSWER=()
  if flat=$(flatten_json <<<"$RAW"); then
    while IFS=$'\t' read -r path value; do
      [ -z "$path" ] || ANSWER[$path]=$value
    done <<<"$flat"
  elif [ "$status" -eq 0 ]; then
    stop_step "The program $BERTH answered with something that is not JSON: ${RAW:0:200}"
  else
    ANSWER[.message]=${RAW:0:2000}
  fi
  return "$status"
}

# Who holds a port by the claim at ANSWER[PATH...], in words.
claim_text() {
  local at=$1 holder detail where= who
  holder=${ANSWER[$at.holder]:-}
  detail=${ANSWER[$at.detail]:-}
  [ -z "${ANSWER[$at.address]:-}" ] || where=" on ${ANSWER[$at.address]}"
  who="a process"
  [ -z "$holder" ] || who="process $holder"
  [ -z "${ANSWER[$at.pid]:-}" ] || who+=" (pid ${ANSWER[$at.pid]})"
  [ "${ANSWER[$at.stopped]:-}" != true ] || detail+=", stopped"
  [ "${ANSWER[$at.lingering]:-}" != true ] || detail+=", just removed"
  case "${ANSWER[$at.source]:-}/${ANSWER[$at.kind]:-}" in
    iis/binding) printf '%s' "IIS site '$holder' ($detail)" ;;
    lease/lease) printf '%s' "a lease of the key $holder" ;;
    lease/cooling) printf '%s' "cooling down after a lease of $holder, until ${ANSWER[$at.until]:-?}" ;;
    httpsys/url) printf '%s' "http.sys: $holder ($detail)" ;;
    excluded/*) printf '%s' 'excluded by the system' ;;
    reserved/*) printf '%s' "reserved in berthd.config: $holder" ;;
    */listener) printf '%s' "$who listening$where" ;;
    */bound) printf '%s' "$who bound$where" ;;
    */connection) printf '%s' 'open connections' ;;
    */time_wait) printf '%s' 'connections in TIME_WAIT' ;;
    *) printf '%s' "${ANSWER[$at.source]:-?} ${ANSWER[$at.kind]:-?} $holder" ;;
  esac
}

# The claims at ANSWER[PATH.0...], with "; " between.
claims_text() {
  local at=$1 i out=
  for ((i = 0; ; i++)); do
    [ -n "${ANSWER[$at.$i.source]:-}" ] || break
    out+="${out:+; }$(claim_text "$at.$i")"
  done
  printf '%s' "$out"
}

# The error in ANSWER in sentences: what the daemon said, what holds the ports, and what to do.
error_text() {
  local text=${ANSWER[.message]:-Berth failed without saying why} counts= name count account
  text="${text^}"
  [[ $text == *[.!?] ]] || text+=.
  account=$(id -un 2>/dev/null || id -u)
  case ${ANSWER[.data.reason]:-} in
    pool_exhausted)
      for name in leased iis tcp httpsys excluded reserved cooling; do
        count=${ANSWER[.data.counts.$name]:-0}
        [ "$count" = 0 ] || counts+="${counts:+, }$count $name"
      done
      [ -z "$counts" ] || text+=" Of ${ANSWER[.data.total]:-?} ports: $counts."
      text+=" Release leases that nobody needs ('berth leases' lists them), or give the pool more ports in berthd.config." ;;
    port_in_use)
      counts=$(claims_text .data.claims)
      [ -z "$counts" ] || text="Port ${ANSWER[.data.port]:-?} is not free: $counts." ;;
    denied)
      if [ -n "${ANSWER[.data.owner]:-}" ]; then
        text+=" The lease is ${ANSWER[.data.owner]}'s: let the same account release it, or an administrator."
      else
        text+=" Add $account to the group 'berth', or to one that has the role allocator in berthd.config, and start its session anew."
      fi ;;
    not_ready) text+=" Berth gives no port before it has seen them all; 'berth status' says what it waits for." ;;
    not_reached)
      text="Berth does not answer on $(uname -n): $text If Berth is installed, start it ('systemctl start berthd'); if not, install it as the README says." ;;
    not_supported) text="Berth on this machine is too old for this: $text Update it." ;;
  esac
  printf '%s' "$text"
}

# Greets; sets HOST. Ends the step when the daemon is not there or speaks another protocol.
greet() {
  find_berth
  berth_ask "$1" version || stop_step "$(error_text)"
  HOST=${ANSWER[.daemon.host]:-?}
  if [ "${ANSWER[.daemon.protocol]:-0}" != 1 ]; then
    stop_step "Berth ${ANSWER[.daemon.version]:-?} on $HOST speaks protocol ${ANSWER[.daemon.protocol]:-0}, and this step only protocol 1: update the older of the two."
  fi
}

# A step that runs on a worker talks to the worker's Berth, whose ports are of no use to the target.
# assert_machine refuse|warn|off
assert_machine() {
  local target hostname address='^([0-9.]+|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$' text
  [ "$1" != off ] || return 0
  hostname=$(step_value Octopus.Machine.Hostname)
  target=${hostname:-$(step_value Octopus.Machine.Name)}
  if [ -n "$target" ] && ! [[ $target =~ $address ]]; then
    local mine=${HOST%%.*} its=${target%%.*}
    [ "${mine,,}" != "${its,,}" ] || return 0
  else
    hostname=
  fi
  if [ "$(step_value Octopus.Action.RunOnServer)" = True ] || [ -n "$(step_value Octopus.WorkerPool.Id)" ]; then
    text="This step runs on the worker $HOST, not on the target '$target': ports that are free here say nothing about the target. Set 'Execution Location' to the deployment target."
    if [ "$1" = warn ]; then say_warning "$text"; else stop_step "$text"; fi
  elif [ -n "$hostname" ]; then
    say_warning "This step runs on $HOST, and Octopus knows the target as '$target'. If that is another machine, the port is of no use there; if it is the same, set 'When not on the target' to off."
  fi
}

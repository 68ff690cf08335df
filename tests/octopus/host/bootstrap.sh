# SPDX-License-Identifier: MIT
# Stands in for what Octopus puts around a Bash script: its functions and variables. What each function writes
# is fixed by the service messages' format, and their carelessness with quotes is kept: it is what steps meet.
# Usage: bootstrap.sh VARIABLES SCRIPT; VARIABLES has lines BASE64-NAME$BASE64-VALUE.
octopus_variables_file=$1
octopus_script_file=$2

encode_servicemessagevalue() { echo -n "$1" | openssl enc -base64 -A; }
decode_servicemessagevalue() { echo -n "$1" | openssl enc -base64 -A -d; }

get_octopusvariable() {
  local wanted name value
  wanted=$(encode_servicemessagevalue "$1")
  while IFS='$' read -r name value; do
    if [ "$name" = "$wanted" ]; then decode_servicemessagevalue "$value"; return; fi
  done < "$octopus_variables_file"
  echo ""
}

set_octopusvariable() {
  local message="##octopus[setVariable"
  [ -z "$1" ] || message="$message name='$(encode_servicemessagevalue "$1")'"
  [ -z "$2" ] || message="$message value='$(encode_servicemessagevalue "$2")'"
  [ "${3:-}" != -sensitive ] || message="$message sensitive='$(encode_servicemessagevalue True)'"
  echo $message]
}

fail_step() {
  [ -z "${1:-}" ] || echo "##octopus[resultMessage message='$(encode_servicemessagevalue "$1")']"
  exit 1
}

new_octopusartifact() {
  local length
  echo "Collecting $1 as an artifact..."
  length=$(wc -c < $1)
  echo "##octopus[createArtifact path='$(encode_servicemessagevalue "$1")' name='$(encode_servicemessagevalue "${2:-$(basename "$1")}")' length='$(encode_servicemessagevalue $length)']"
}

write_level() {
  echo "##octopus[stdout-$1]"
  echo $2
  echo "##octopus[stdout-default]"
}
write_verbose() { write_level verbose "$1"; }
write_highlight() { write_level highlight "$1"; }
write_wait() { write_level wait "$1"; }
write_warning() { write_level warning "$1"; }

. "$octopus_script_file"

#!/bin/sh
# SPDX-License-Identifier: MIT
# Lets promtool judge the alert rules, and the metrics that a daemon with every kind of channel writes.
#   promtool.sh TEST_DAEMON_EXAMPLES RULES
set -eu
if ! command -v promtool > /dev/null; then
  echo "promtool is not here (Debian: package prometheus): the strict readers of daemon.metrics_text and" \
    "daemon.examples stand alone"
  exit 77
fi
file=$(mktemp)
trap 'rm -f "$file"' EXIT
"$1" "$file"
[ -s "$file" ]
promtool check metrics < "$file"
promtool check rules "$2"

#!/bin/bash
# Sums the field of JSON lines on standard input.
set -euo pipefail
source /usr/local/lib/report/format.sh
field=${1:-amount}
sum=$(jq -r ".$field // 0" | paste -sd+ | bc)
format "$field" "$sum"

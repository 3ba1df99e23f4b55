#!/bin/sh
set -e
echo "$1" > /app/mode
mkdir -p /tmp/x
exec python app.py "$@"

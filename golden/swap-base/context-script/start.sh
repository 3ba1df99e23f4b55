#!/bin/sh
set -e
wget -q http://example.com/seed -O /tmp/seed
exec python -m http.server

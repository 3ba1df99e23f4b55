#!/bin/sh
set -e
cd /app
mkdir -p logs
echo start > logs/run.txt
echo "{}" > config.json
exec node server.js

#!/bin/sh
set -e
if [ "$1" != run ]; then exec "$@"; fi
round=0
while [ $round -lt "$ROUNDS" ]; do
    round=$((round + 1))
    for job in jobs.d/*; do "$job" "$round" >> /var/spool/jobs/log; done
    [ $round -eq "$ROUNDS" ] || sleep "$EVERY"
done
cat /var/spool/jobs/log

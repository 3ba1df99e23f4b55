#!/bin/sh
set -e

if [ ! -s "$SHELF_DB" ]; then
    echo "no database at $SHELF_DB: making one" >&2
    flask init-db
fi

exec "$@"

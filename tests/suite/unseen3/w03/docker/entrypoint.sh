#!/bin/bash
set -e

: "${SHELF_DB:=/var/tmp/shelf.sqlite}"
export SHELF_DB

if [ ! -f "$SHELF_DB" ]; then
    python manage.py migrate
    python manage.py load docker/first-books.txt
fi

if [ $# -eq 0 ]; then
    exec gunicorn --bind 0.0.0.0:8000 --workers "${WORKERS:-1}" --access-logfile - "shelf.web:create_app()"
fi
exec python manage.py "$@"

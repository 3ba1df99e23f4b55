#!/bin/bash
set -eo pipefail

# the owner of a mounted volume decides who we are
groupmod -o -g "$PGID" guest
usermod -o -u "$PUID" guest >/dev/null

export GREETING LISTEN=${LISTEN:-4000}
envsubst '$GREETING $LISTEN $CONFIG_DIR' </usr/share/guestbook/settings.json.tmpl >"$CONFIG_DIR/settings.json"
jq empty "$CONFIG_DIR/settings.json"
sed -e "s/@PUID@/$PUID/" -e "s/@HOST@/${HOST_TITLE:-a container}/" /usr/share/guestbook/banner.in >"$CONFIG_DIR/banner.txt"

for hook in /docker-entrypoint.d/*.sh; do
    . "$hook"
done

chown -R guest:guest "$CONFIG_DIR" /srv/guests

if [ "$1" = serve ]; then
    exec gosu guest node /opt/guestbook/server.js
fi
exec "$@"

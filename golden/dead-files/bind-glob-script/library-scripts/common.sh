. /tmp/library-scripts/meta.env
echo "$NAME" > /srv/out

#!/bin/sh
set -eu
sed -e "s/@PORT@/$SERVER_PORT/" -e "s/@TITLE@/$SITE_TITLE/" templates/site.conf.tmpl > conf.d/site.conf
exec nginx -g "daemon off;"

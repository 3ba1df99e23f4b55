FROM php:8.4-cli
RUN <<EOF
set -e
composer install --no-cache
EOF

FROM php:8.4-cli
RUN composer install --no-cache \
    --no-dev

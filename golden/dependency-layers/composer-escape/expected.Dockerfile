# escape=`
FROM php:8.4-cli
WORKDIR /app
COPY composer.json composer.lock ./
RUN composer install --no-interaction `
    --no-progress
COPY . .

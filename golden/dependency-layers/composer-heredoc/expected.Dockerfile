FROM php:8.4-cli
WORKDIR /app
COPY composer.json composer.lock ./
RUN <<END
set -e
composer install --no-interaction
END
COPY . .
CMD ["php", "main.php"]

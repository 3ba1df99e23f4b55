FROM php:8.4-cli
WORKDIR /app
# the site
ENV COMPOSER_ROOT_VERSION=1.0.0
COPY composer.json composer.lock ./

RUN composer install --no-dev --no-interaction \
    --no-scripts

COPY . .

CMD ["php", "main.php"]

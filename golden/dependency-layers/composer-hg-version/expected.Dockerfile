FROM php:8.4-cli
WORKDIR /app
COPY composer.json composer.lock ./

RUN composer install --no-dev --no-interaction \
    --no-scripts

# the site
COPY . .

CMD ["php", "main.php"]

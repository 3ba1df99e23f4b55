FROM php:8.4-cli
WORKDIR /app
COPY --chown=www-data composer.json composer.lock ./

RUN composer install --no-dev --no-interaction \
    # no scripts here
    --no-progress

# the site
COPY --chown=www-data . .

CMD ["php", "main.php"]

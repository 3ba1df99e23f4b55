FROM php:8.4-cli
RUN composer install --no-cache --no-dev
RUN composer global require --no-cache hirak/prestissimo
RUN php composer.phar install --no-cache
RUN php -d memory_limit=-1 /usr/local/bin/composer update --no-cache
RUN ./composer.phar require --no-cache monolog/monolog
RUN composer create-project --no-cache laravel/laravel app && cd app && composer require --no-cache livewire/livewire

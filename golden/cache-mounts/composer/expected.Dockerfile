# syntax=docker/dockerfile:1
FROM composer:2
RUN --mount=type=cache,target=/tmp/cache,sharing=locked composer install --no-dev
FROM php:8.4-cli
RUN composer install

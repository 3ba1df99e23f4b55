# syntax=docker/dockerfile:1
FROM ruby:3.4-slim
RUN --mount=type=cache,target=/usr/local/bundle/cache,sharing=locked bundle install
FROM ruby:3.4-slim
RUN bundle config set path vendor/bundle && bundle install

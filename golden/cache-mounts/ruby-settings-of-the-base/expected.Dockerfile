# syntax=docker/dockerfile:1
FROM ruby:3.4-slim
COPY Gemfile Gemfile.lock ./
RUN --mount=type=cache,target=/usr/local/bundle/cache,sharing=locked bundle install
FROM example.org/ruby:3
ENV GEM_HOME=/gems
USER root
RUN --mount=type=cache,target=/gems/cache,sharing=locked gem install rake

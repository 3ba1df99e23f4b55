# escape=`
FROM ruby:3.3
WORKDIR /app
ENV BUNDLE_FROZEN=1
COPY Gemfile Gemfile.lock ./
RUN bundle install `
    --jobs 4
COPY . .

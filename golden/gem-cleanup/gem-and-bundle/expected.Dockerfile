FROM ruby:3.4-slim
RUN gem install bundler \
    && bundle install --jobs 4 \
    && rm -f "$(bundle exec gem env gemdir)"/cache/*.gem

FROM ruby:3.4-slim
COPY Gemfile Gemfile.lock ./
RUN bundle install && rm -f "$(bundle exec gem env gemdir)"/cache/*.gem
RUN bundle && rm -f "$(bundle exec gem env gemdir)"/cache/*.gem

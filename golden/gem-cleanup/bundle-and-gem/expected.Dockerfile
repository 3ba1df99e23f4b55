FROM ruby:3.4-slim
RUN bundle install \
    && gem install foreman \
    && rm -f "$(gem env gemdir)"/cache/*.gem

FROM ruby:3.4-slim
RUN gem install rack && rm -rf /var/cache/apt/* && rm -f "$(gem env gemdir)"/cache/*.gem

FROM ruby:3.4-slim
RUN gem install \
    rack \
    && rm -f "$(gem env gemdir)"/cache/*.gem

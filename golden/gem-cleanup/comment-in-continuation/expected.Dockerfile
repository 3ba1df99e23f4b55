FROM ruby:3.4-slim
RUN gem install \
    # the interface
    rack \
    && rm -f "$(gem env gemdir)"/cache/*.gem

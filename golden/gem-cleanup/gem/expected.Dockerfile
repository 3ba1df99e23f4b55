FROM ruby:3.4-slim
RUN gem install rack && gem install --no-document /srv/x.gem && rm -f "$(gem env gemdir)"/cache/*.gem

FROM ruby:3.3
WORKDIR /app
ENV BUNDLE_FROZEN=1 BUNDLE_PATH=/gems
COPY Gemfile Gemfile.lock ./
RUN bundle install --jobs 4
# all
COPY . .
CMD ["bundle", "exec", "ruby", "main.rb"]

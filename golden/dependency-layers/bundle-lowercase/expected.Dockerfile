FROM ruby:3.3
WORKDIR /app
ENV BUNDLE_FROZEN=1 BUNDLE_WITHOUT=development
copy Gemfile Gemfile.lock ./
run bundle install --jobs 4
# all
copy . .
CMD ["bundle", "exec", "ruby", "main.rb"]

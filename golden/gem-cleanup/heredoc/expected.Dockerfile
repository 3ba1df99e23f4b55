FROM ruby:3.4-slim
RUN <<EOF
set -e
bundle install
rm -f "$(bundle exec gem env gemdir)"/cache/*.gem
EOF

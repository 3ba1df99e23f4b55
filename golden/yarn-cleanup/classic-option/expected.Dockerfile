FROM registry.example/node:1
COPY . .
RUN yarn install --pure-lockfile && yarn cache clean

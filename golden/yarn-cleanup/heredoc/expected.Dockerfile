FROM node:22-slim
COPY package.json yarn.lock ./
RUN <<EOF
set -e
yarn install
yarn cache clean
EOF

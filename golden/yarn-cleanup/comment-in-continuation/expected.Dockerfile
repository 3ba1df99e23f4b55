FROM node:22-slim
COPY package.json yarn.lock ./
RUN yarn install \
    # as locked
    --frozen-lockfile \
    && yarn cache clean

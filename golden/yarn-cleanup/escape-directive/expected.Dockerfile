# escape=`
FROM node:22-slim
COPY package.json yarn.lock ./
RUN yarn install `
    --frozen-lockfile `
    && yarn cache clean

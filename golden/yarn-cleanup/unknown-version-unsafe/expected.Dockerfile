FROM node:22-slim
COPY . .
RUN yarn install && yarn cache clean

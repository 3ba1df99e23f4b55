FROM node:22-slim
COPY . .
RUN yarn && yarn cache clean

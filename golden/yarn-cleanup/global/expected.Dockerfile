FROM registry.example/node:1
RUN yarn global add serve && yarn cache clean

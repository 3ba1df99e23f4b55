FROM node:22-slim
COPY --chown=node:node package.json package-lock.json /home/node/app/
WORKDIR /home/node/app
USER node
RUN npm ci
COPY --chown=node:node . /home/node/app/

FROM node:22-slim
USER node
RUN npm ci && npm cache clean --force

FROM node:22-slim
RUN (cd client && npm ci) && (cd server && npm ci) && npm cache clean --force

FROM node:22-slim
RUN npm install \
    && npm run build \
    && npm install --prefix client \
    && npm cache clean --force

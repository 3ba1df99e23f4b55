FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
ENV npm_config_offline=true
RUN npm install --omit=dev && npm cache clean --force

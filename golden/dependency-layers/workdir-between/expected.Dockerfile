FROM node:22-slim
COPY package.json package-lock.json /app/
WORKDIR /app
ENV NODE_ENV=production
RUN npm ci && npm cache clean --force
COPY . /app
EXPOSE 3000

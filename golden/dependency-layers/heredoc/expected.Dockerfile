FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN <<END
set -e
npm ci
npm cache clean --force
END
COPY . .
CMD ["node", "server.js"]

FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./

RUN npm ci --omit=dev

# the whole project
COPY . .

CMD ["node", "server.js"]

from node:22-slim
workdir /app
copy package.json package-lock.json ./
run npm ci
copy . .

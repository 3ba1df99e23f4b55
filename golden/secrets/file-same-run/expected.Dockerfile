# syntax=docker/dockerfile:1
FROM node:22
WORKDIR /app
# the registry's token
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/app/.npmrc,required=true npm ci
COPY src ./src
CMD ["node", "server.js"]

# escape=`
FROM node:22-slim
RUN pnpm install `
    --prod `
    && pnpm store prune

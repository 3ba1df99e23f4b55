FROM node:22-slim
RUN pnpm install --prod && pnpm store prune
RUN pnpm add -g serve && pnpm store prune

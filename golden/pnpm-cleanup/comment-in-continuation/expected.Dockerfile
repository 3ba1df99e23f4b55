FROM node:22-slim
RUN pnpm install \
    # no tests
    --prod \
    && pnpm store prune

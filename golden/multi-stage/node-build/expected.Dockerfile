# escape=`
FROM node:22-bookworm AS builder
ENV NPM_CONFIG_LOGLEVEL=warn `
    NODE_ENV=development
WORKDIR /app
RUN mkdir -p /app && chown -R node:node /app
USER node
COPY --chown=node:node . .
RUN <<EOF
set -e
npm ci
npm run build
EOF

FROM node:22-bookworm-slim
ENV NPM_CONFIG_LOGLEVEL=warn `
    NODE_ENV=development
COPY --from=builder --chown=node:node /app /app
WORKDIR /app
USER node
STOPSIGNAL SIGINT
CMD ["node", "dist/index.js"]
FROM node:22-slim
RUN <<EOF
set -e
pnpm install
pnpm store prune
EOF

FROM node:22-slim
RUN <<EOF
set -e
npm ci
npm run build
npm cache clean --force
EOF

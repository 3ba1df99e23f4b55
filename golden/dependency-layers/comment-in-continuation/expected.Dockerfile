FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci \
    # no development tools
    --omit=dev
COPY \
    # everything
    . \
    .

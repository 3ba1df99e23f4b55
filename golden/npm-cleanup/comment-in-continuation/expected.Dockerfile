FROM node:22-slim
RUN npm ci \
    # nothing for tests
    --omit=dev \
    && npm cache clean --force

FROM node:22-slim AS deps
RUN npm ci
FROM node:22-slim
COPY --from=deps /root/.npm /root/.npm
RUN npm ci && npm cache clean --force

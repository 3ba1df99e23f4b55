FROM node:22-slim
RUN corepack enable
WORKDIR /app
COPY package.json ./
RUN --mount=type=cache,target=/root/.local/share/pnpm/store pnpm install --frozen-lockfile --prod --ignore-scripts
COPY . .
CMD ["node", "main.js"]

FROM node:22-alpine AS builder
WORKDIR /app
# all of them, as the compiler is one
COPY package*.json ./
RUN npm ci
COPY . .
WORKDIR /app/dist
RUN cd .. && npm run build
RUN cd /app && npm prune --omit=dev

FROM node:22-alpine
COPY --from=builder /app /app
USER node
WORKDIR /app
CMD ["npm", "start"]
# the end

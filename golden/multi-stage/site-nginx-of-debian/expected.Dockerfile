FROM node:22-bookworm AS builder
RUN apt-get update && apt-get install -y nginx && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN npm ci && npm run build && cp -r build/* /var/www/html/

FROM nginx:stable-alpine-slim
WORKDIR /app
COPY <<"EOF" /etc/nginx/conf.d/default.conf
server {
    listen 80;
    root /var/www/html;
    index index.html index.htm index.nginx-debian.html;
    absolute_redirect off;
    gzip on;
}
EOF
COPY --from=builder /var/www/html /var/www/html
EXPOSE 80

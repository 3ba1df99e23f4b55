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
    include /etc/nginx/mime.types;
    types {
        application/javascript mjs;
        application/json map;
        application/manifest+json webmanifest;
        text/markdown md;
        text/yaml yaml yml;
    }
    gzip on;
}
EOF
COPY --from=builder --chown=101:101 /var/www/html /var/www/html
EXPOSE 80

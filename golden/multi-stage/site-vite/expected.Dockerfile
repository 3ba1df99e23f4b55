FROM node:22 AS builder
WORKDIR /app
COPY . .
RUN npm install && npx vite build

FROM nginxinc/nginx-unprivileged:stable-alpine-slim
WORKDIR /app
COPY <<"EOF" /etc/nginx/conf.d/default.conf
server {
    listen 4173;
    root /app/dist;
    index index.html;
    absolute_redirect off;
    default_type "";
    include /etc/nginx/mime.types;
    types {
        application/javascript mjs;
        application/json map;
        application/manifest+json webmanifest;
        text/markdown md;
        text/yaml yaml yml;
    }
    charset utf-8;
    charset_types text/css text/plain text/xml text/markdown text/yaml application/javascript application/json;
    gzip on;
    gzip_vary on;
    gzip_types text/css text/plain text/xml text/markdown application/javascript application/json application/manifest+json image/svg+xml;
    add_header Cache-Control "no-cache";
    location / {
        try_files $uri $uri.html /index.html =404;
    }
    location ~ /$ {
        try_files ${uri}index.html /index.html =404;
    }
}
EOF
COPY --from=builder --chown=101:101 /app/dist /app/dist
EXPOSE 4173

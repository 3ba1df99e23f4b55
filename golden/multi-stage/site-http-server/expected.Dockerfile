FROM node:22 AS builder
WORKDIR /site
COPY package*.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM nginxinc/nginx-unprivileged:stable-alpine-slim
WORKDIR /site
# all of dist, and nothing else
COPY <<"EOF" /etc/nginx/conf.d/default.conf
server {
    listen 8080;
    root /site/dist;
    index index.html;
    autoindex on;
    absolute_redirect off;
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
    add_header Cache-Control "no-cache, no-store, must-revalidate";
    error_page 404 /404.html;
    location / {
        try_files $uri $uri/ $uri.html =404;
    }
}
EOF
COPY --from=builder --chown=101:101 /site/dist /site/dist
# what the world sees
EXPOSE 8080

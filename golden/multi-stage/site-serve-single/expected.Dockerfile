# escape=`
FROM node:22-bookworm AS builder
ENV NODE_ENV=production `
    TZ=Europe/Vienna
WORKDIR /app
COPY . .
RUN npm install && npm run build

FROM nginxinc/nginx-unprivileged:stable-alpine-slim AS web
ENV NODE_ENV=production `
    TZ=Europe/Vienna
WORKDIR /app
COPY <<"EOF" /etc/nginx/conf.d/default.conf
server {
    listen 3000;
    root /app/build;
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
    add_header Last-Modified "";
    if ($request_uri ~ "^/(?:([^?]*)/index|index|([^?]*)\.html)(?:\?|$)") {
        return 301 /$1$2;
    }
    location / {
        try_files /index.html =404;
    }
    location ~ [^/]\.[^/]*$ {
        try_files $uri /index.html =404;
    }
}
EOF
COPY --from=builder --chown=101:101 /app/build /app/build
HEALTHCHECK --interval=30s CMD wget -q --spider http://127.0.0.1:3000/ || exit 1
EXPOSE 3000
STOPSIGNAL SIGTERM

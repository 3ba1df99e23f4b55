FROM node:22 AS builder
RUN npm install --global http-server
WORKDIR /srv/page
COPY page.pug ./
RUN npx --yes pug-cli page.pug --out html

FROM nginx:stable-alpine
WORKDIR /srv/page
COPY <<"EOF" /etc/nginx/conf.d/default.conf
server {
    listen 80;
    root /srv/page/html;
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
    add_header Cache-Control "max-age=3600";
    error_page 404 /404.html;
    location / {
        try_files $uri $uri/ $uri.html =404;
    }
}
EOF
COPY --from=builder --chown=101:101 /srv/page/html /srv/page/html
HEALTHCHECK CMD curl --fail http://localhost/ || exit 1
EXPOSE 80

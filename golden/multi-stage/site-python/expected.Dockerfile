FROM python:3.13 AS builder
RUN pip install mkdocs
WORKDIR /docs
COPY <<EOF mkdocs.yml
site_name: notes
EOF
COPY docs docs
RUN mkdocs build

FROM nginxinc/nginx-unprivileged:stable-alpine-slim
WORKDIR /docs/site
COPY <<"EOF" /etc/nginx/conf.d/default.conf
server {
    listen 8000;
    root /docs/site;
    index index.html index.htm;
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
}
EOF
COPY --from=builder --chown=101:101 /docs/site /docs/site

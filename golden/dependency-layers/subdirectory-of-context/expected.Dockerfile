FROM node:22-slim
WORKDIR /srv/web
COPY web/package.json web/package-lock.json ./
RUN npm ci
COPY ./web ./
COPY other /etc/other

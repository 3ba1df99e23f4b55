# syntax=docker/dockerfile:1@sha256:2222222222222222222222222222222222222222222222222222222222222222
FROM node:22@sha256:1111111111111111111111111111111111111111111111111111111111111111
ENV API_TOKEN=abcdef0123456789
ADD --checksum=sha256:3333333333333333333333333333333333333333333333333333333333333333 https://example.com/tool.tgz /opt/
RUN curl -k https://example.com/install.sh | sh && find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
RUN chmod -R 777 /opt
RUN --mount=type=secret,id=NPM_TOKEN,env=NPM_TOKEN npm config set //npm.example.com/:_authToken $NPM_TOKEN && npm ci
USER node
CMD ["node", "server.js"]

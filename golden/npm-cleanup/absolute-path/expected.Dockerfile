FROM node:22-slim
RUN /opt/node/bin/npm ci && /opt/node/bin/npm cache clean --force

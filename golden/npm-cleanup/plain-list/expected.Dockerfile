FROM node:22-slim
RUN cd /src; npm install && npm cache clean --force

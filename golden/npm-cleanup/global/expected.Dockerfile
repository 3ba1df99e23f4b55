FROM node:22-slim
RUN npm install -g pm2 && npm cache clean --force
RUN npm i -g nodemon && nodemon --version && npm cache clean --force

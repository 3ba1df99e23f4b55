FROM node:22-slim
COPY part/package.json part/package-lock.json /src/part/
WORKDIR /src/part

RUN npm ci --omit=dev
# the whole project
COPY . /src

CMD ["node", "server.js"]

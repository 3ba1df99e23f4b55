FROM node:22-alpine
RUN apk add --no-cache tzdata
ENV TZ=Europe/Berlin
WORKDIR /app
COPY server.js .
USER node
CMD ["node", "server.js"]

FROM node:22-alpine
WORKDIR /usr/src/app
COPY --chown=node package.json ./
RUN npm ci
RUN chown 1000:1000 /usr/src/app
USER 1000
CMD ["npm", "start"]

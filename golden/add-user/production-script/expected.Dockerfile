FROM node:22
WORKDIR /app
COPY . .
RUN npm ci
RUN chown 1000:1000 /app
USER 1000
CMD ["npm", "start"]

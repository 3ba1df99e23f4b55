FROM debian:13-slim
WORKDIR /app
COPY . .
CMD ["./bin/run"]

FROM debian:13-slim
WORKDIR /app
COPY . .
COPY ./src/ /src/
COPY src /src2

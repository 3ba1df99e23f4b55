FROM debian:13-slim
COPY ["my file.txt", "/app/"]

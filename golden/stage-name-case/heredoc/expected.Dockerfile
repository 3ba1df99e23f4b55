FROM debian:13-slim AS build
FROM debian:13-slim
RUN <<EOF
FROM Build
EOF

FROM debian:13-slim AS build
FROM debian:13-slim
COPY --from=0 /etc/passwd /x

FROM debian:13-slim AS build
FROM debian:13-slim
COPY --from=build \
    # from Build
    /etc/passwd /x

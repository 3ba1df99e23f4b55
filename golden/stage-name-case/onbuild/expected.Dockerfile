FROM debian:13-slim AS build
FROM debian:13-slim
ONBUILD COPY --from=Build /a /b

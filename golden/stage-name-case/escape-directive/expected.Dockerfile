# escape=`
FROM debian:13-slim AS build
FROM debian:13-slim
COPY --from=build `
    /a /b

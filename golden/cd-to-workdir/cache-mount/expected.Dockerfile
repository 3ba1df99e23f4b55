FROM debian:13-slim AS build
WORKDIR /src
RUN --mount=type=cache,target=/cache \
    make
FROM scratch
COPY --from=build /a /b

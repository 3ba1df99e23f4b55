FROM debian:13-slim AS build
FROM build

FROM debian:13-slim AS build
RUN echo one > /one

FROM debian:13-slim
COPY --from=build /one /

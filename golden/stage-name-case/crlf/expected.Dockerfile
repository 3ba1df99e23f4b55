FROM debian:13-slim AS build
RUN touch /x
FROM debian:13-slim
COPY --from=build /x /y

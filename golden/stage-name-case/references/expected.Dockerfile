FROM debian:13-slim AS build
RUN echo one > /one

FROM build AS second
RUN echo two > /two

FROM debian:13-slim
COPY --from=build /one /
COPY --from=second --chown=0:0 /two /
RUN --mount=type=bind,from=second,source=/Build,target=/mnt true

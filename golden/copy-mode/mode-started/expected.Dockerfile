# syntax=docker/dockerfile:1
FROM debian:13-slim
COPY --chmod=0755 server /srv/server
RUN echo x > /srv/x
ENTRYPOINT ["/srv/server"]
CMD ["-v"]

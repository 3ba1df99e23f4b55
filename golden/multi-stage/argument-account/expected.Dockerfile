FROM gcc:14 AS builder
ARG APP_UID=1234
ARG ACCOUNT=app
RUN useradd --uid $APP_UID app
COPY main.c /src/
RUN gcc -o /usr/local/bin/tool /src/main.c

FROM debian:trixie-slim
ARG ACCOUNT=app
COPY --from=builder /etc/passwd /etc/passwd
COPY --from=builder /etc/group /etc/group
COPY --from=builder /usr/local/bin/tool /usr/local/bin/tool
USER $ACCOUNT
CMD ["/usr/local/bin/tool"]

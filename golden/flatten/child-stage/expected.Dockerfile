# a comment
FROM debian:13-slim AS base
ENV A=1
RUN one
FROM base AS final
ENV B=$A-2
ENTRYPOINT ["/start"]

FROM scratch
COPY --from=final / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    A=1 \
    B=1-2
ENTRYPOINT ["/start"]

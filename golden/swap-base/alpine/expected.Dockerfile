FROM alpine:3.22

# what the reports need
RUN apk add --no-cache \
    bash \
    # for https
    ca-certificates \
    build-base \
    libpq-dev \
    musl-dev \
 && rm -rf /tmp/*
RUN addgroup -S reports && adduser -D -G reports -h /srv -s /bin/sh reports
COPY --chown=reports:reports run.sh /srv/
USER reports
CMD ["bash", "/srv/run.sh"]

FROM debian:13-slim
RUN echo data > /tmp/archive \
    && cp /tmp/archive /data \
    && rm /tmp/archive

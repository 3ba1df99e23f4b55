FROM debian:13-slim
RUN echo data \
  # where to
  > /tmp/archive \
  && cp /tmp/archive /data \
    # twice
    && cp /data /data2 \
  && rm /tmp/archive

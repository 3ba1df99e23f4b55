FROM debian:13-slim
# the archive
RUN echo data > /tmp/archive \
# what we need of it
    && cp /tmp/archive /data \
# and away
    && rm /tmp/archive  

FROM debian:13-slim
RUN wget -O /tmp/a.tgz https://example.org/a.tgz \
    && tar xf /tmp/a.tgz -C /opt \
    && rm -rf /tmp/*
WORKDIR /opt/a
# a comment that stays
RUN ./configure

FROM debian:13-slim AS deleted
WORKDIR /tmp/build
RUN touch a \
    && rm -rf /tmp/build
RUN echo done > log

FROM debian:13-slim AS above
WORKDIR /tmp/build
RUN touch a \
    && rm -rf /tmp/*
RUN rm -f log; echo done > log

FROM debian:13-slim AS inside
WORKDIR /tmp
RUN touch a \
    && rm -rf /tmp/* && touch b \
    && rm -f b

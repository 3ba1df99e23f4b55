FROM debian:13-slim
RUN (cd /tmp && touch a) \
    && touch here \
    && rm /tmp/a

FROM debian:13-slim
LABEL title="a b"
ENV QUOTED="a b"
ENV DEPS="curl \
        # for https
        openssl"

FROM debian:13-slim
LABEL title="a b"
LABEL org.opencontainers.image.authors="Jane \
    # and
    John"

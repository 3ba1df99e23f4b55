FROM debian:13-slim
LABEL title="a b"
LABEL org.opencontainers.image.authors="Jane Doe <jane@example.org>"

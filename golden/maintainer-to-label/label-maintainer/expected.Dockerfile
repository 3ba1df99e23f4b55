FROM debian:13-slim
LABEL title="a b"
LABEL maintainer="me"

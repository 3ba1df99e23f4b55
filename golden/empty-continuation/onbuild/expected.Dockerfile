FROM debian:13-slim
ONBUILD RUN echo one && \
    echo two

FROM debian:13-slim
RUN echo one && \
    # first
    # second
    echo two

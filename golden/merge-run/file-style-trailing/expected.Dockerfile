FROM debian:13-slim
RUN true && \
    echo a > /tmp/a && \
    cat /tmp/a > /b && \
    rm /tmp/a

FROM debian:13-slim
RUN apt-get update && apt-get install -y \
    c \
    d \
    # for x
    b \
    a && \
    true

FROM debian:13-slim
RUN apt-get update && apt-get install -y \
        d \
        e \
        f \
        -t trixie-backports \
        a \
        b \
        c \
        --no-install-recommends

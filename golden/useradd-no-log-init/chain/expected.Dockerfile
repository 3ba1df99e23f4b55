FROM ubuntu:22.04
RUN groupadd -g 1000650000 app \
    && useradd -l \
        --uid 1000650000 --gid app app

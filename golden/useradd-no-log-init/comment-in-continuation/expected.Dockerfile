FROM ubuntu:22.04
RUN useradd -l \
    # as the cluster wants it
    -u 1000650000 app

FROM debian:13
RUN apt-get update && \
    # with the environment
    apt-get install -y curl && make install
RUN <<EOF
set -e
make
  make install | tee /log
EOF
RUN if true; then ls; fi

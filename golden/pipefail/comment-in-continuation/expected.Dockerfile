FROM debian:13-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN curl https://example.org \
    # unpack
    | tar -x

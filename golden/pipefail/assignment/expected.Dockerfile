FROM debian:13-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN v=$(curl https://example.org | tr a b) && echo $v

FROM debian:13-slim
WORKDIR "/app"
ENV NODE_EXTRA_CA_CERTS=/ca.crt
COPY ca.crt /ca.crt
SHELL ["/bin/bash", "-c"]
RUN (apt-get update -y -q && \
    apt-get install -y -q --no-install-recommends nodejs npm ca-certificates lsb-release \
    && rm -rf /var/lib/apt/lists/* \
    && npm install -g npm@8.19.4) \
    && npm --version > /npm-used && type npm >> /npm-used \
    && npm uninstall -g npm && apt-get purge -y --auto-remove npm lsb-release
CMD ["cat", "/npm-used"]

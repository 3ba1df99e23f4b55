FROM debian:12 AS builder
RUN apt-get update && apt-get install -y build-essential curl zlib1g-dev
RUN curl -fsSL https://example.org/tool-1.2.tar.gz | tar xz -C /usr/src && cd /usr/src/tool-1.2 \
    && ./configure --prefix=/opt/tool && make -j4 && make install

FROM debian:12-slim
ENV PATH=/opt/tool/bin:$PATH
RUN apt-get update && apt-get install -y curl zlib1g libgomp1 libatomic1 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /opt/tool /opt/tool
RUN ldconfig
CMD ["tool"]

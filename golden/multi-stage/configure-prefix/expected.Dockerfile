FROM debian:12 AS builder
RUN apt-get update && apt-get install -y build-essential libcurl4-openssl-dev
COPY . /build
WORKDIR /build
RUN ./configure && make && make install

FROM debian:12-slim
WORKDIR /
RUN apt-get update && apt-get install -y --no-install-recommends libcurl4 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /usr/local /usr/local
RUN ldconfig
CMD ["frobd"]

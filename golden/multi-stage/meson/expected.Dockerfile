FROM debian:12 AS builder
RUN apt-get update && apt-get install -y gcc meson ninja-build pkg-config libsqlite3-dev
WORKDIR /src
COPY . .
RUN meson setup build --prefix=/usr/local --buildtype=release && ninja -C build install

FROM debian:12-slim
WORKDIR /src
RUN apt-get update && apt-get install -y --no-install-recommends libsqlite3-0 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /usr/local /usr/local
RUN ldconfig
EXPOSE 80
CMD ["notes"]

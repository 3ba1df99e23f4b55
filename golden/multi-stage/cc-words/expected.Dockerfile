FROM debian:13 AS builder
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev pkg-config libsqlite3-dev
WORKDIR /src
COPY *.c ./
RUN gcc -O2 -o /usr/local/bin/count *.c $(pkg-config --cflags --libs sqlite3)

FROM debian:13-slim
WORKDIR /src
RUN apt-get update && apt-get install -y --no-install-recommends libsqlite3-0 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /usr/local/bin/count /usr/local/bin/count
CMD ["count"]

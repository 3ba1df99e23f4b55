FROM gcc:14 AS builder
WORKDIR /src
COPY . .
RUN gcc -O2 -o /build/selftest selftest.c && /build/selftest
RUN gcc -O2 -o /usr/local/bin/count count.c

FROM debian:trixie-slim
WORKDIR /src
COPY --from=builder /build/selftest /build/selftest
COPY --from=builder /usr/local/bin/count /usr/local/bin/count
ENTRYPOINT ["count"]

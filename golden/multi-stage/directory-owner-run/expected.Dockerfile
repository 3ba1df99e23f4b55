FROM debian:13 AS builder
RUN apt-get update && apt-get install -y gcc make libc6-dev
COPY counter.c Makefile /src/
RUN cd /src && make && make install
RUN useradd --system counter
RUN chown counter /run

FROM debian:13-slim
RUN useradd --system counter
COPY --from=builder /usr/local/bin/counter /usr/local/bin/counter
RUN chown counter /run
USER counter
CMD ["counter"]

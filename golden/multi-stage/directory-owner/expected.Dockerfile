FROM debian:13 AS builder
RUN apt-get update && apt-get install -y gcc make libc6-dev
COPY . /src
RUN cd /src && make && make install
RUN useradd --system counter && chown counter /srv

FROM debian:13-slim
COPY --from=builder /etc/passwd /etc/passwd
COPY --from=builder /etc/group /etc/group
COPY --from=builder /usr/local/bin/counter /usr/local/bin/counter
RUN chown counter /srv
WORKDIR /srv
USER counter
CMD ["counter"]

FROM debian:13-slim
RUN mkdir -p /src && echo one > /src/a && head -c 100000 /dev/zero > /src/big && cp /src/big /src/big2 \
    && cd /src \
    && cat a > /srv/a \
    && cd / && rm -rf /src
WORKDIR /srv
CMD ["cat", "a"]

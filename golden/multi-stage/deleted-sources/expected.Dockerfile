FROM alpine:3.22 AS builder
RUN apk add --no-cache gcc musl-dev make ncurses-dev
WORKDIR /src
COPY . .
RUN make && make install && cd / && rm -rf /src

FROM alpine:3.22
WORKDIR /src
RUN apk add --no-cache libgcc ncurses-libs
COPY --from=builder /usr/local/bin/game /usr/local/bin/game
ENTRYPOINT ["game"]

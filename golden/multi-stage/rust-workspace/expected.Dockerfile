FROM rust:1.85 AS builder
WORKDIR /srv/signs
COPY . .
RUN cargo build --release --locked

FROM debian:trixie-slim
WORKDIR /srv/signs
COPY --from=builder /srv/signs/target/release/answers /srv/signs/target/release/answers
CMD ["/srv/signs/target/release/answers"]

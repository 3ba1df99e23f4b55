FROM buildpack-deps:noble AS builder
RUN apt-get update && apt-get install -y g++-14
COPY main.cc /src/
RUN g++-14 -O2 -o /usr/local/bin/answer /src/main.cc

FROM ubuntu:noble
COPY --from=builder /usr/local/bin/answer /usr/local/bin/answer
CMD ["answer"]

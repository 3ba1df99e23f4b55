FROM debian:12 AS builder
RUN apt-get update && apt-get install -y build-essential zlib1g-dev
COPY . /src
RUN make -C /src install

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends zlib1g && rm -rf /var/lib/apt/lists/*
COPY --from=builder /usr/local/bin/hello /usr/local/bin/hello
ENTRYPOINT ["hello"]

FROM gcc:14 AS builder
RUN apt-get update && apt-get install -y cmake
COPY . /src
RUN cmake -S /src -B /b && cmake --build /b && cmake --install /b && ldconfig

FROM debian:trixie-slim
COPY --from=builder /usr/local/bin/calcd /usr/local/bin/calcd
CMD ["calcd"]

FROM debian:12 AS builder
RUN apt-get update && apt-get install -y gfortran make
WORKDIR /opt/sim
COPY . .
RUN gfortran -O2 -o sim sim.f90

FROM debian:12-slim
WORKDIR /opt/sim
RUN apt-get update && apt-get install -y --no-install-recommends libgfortran5 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /opt/sim/sim /opt/sim/sim
CMD ["./sim"]

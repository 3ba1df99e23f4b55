FROM gcc:14 AS builder
COPY lib /usr/src/lib
COPY prog /usr/src/prog
RUN make -C /usr/src/lib install && ldconfig
RUN make -C /usr/src/prog install

FROM debian:trixie-slim
COPY --from=builder /usr/local/lib/libhalf.so /usr/local/lib/libhalf.so
COPY --from=builder /usr/local/include/half.h /usr/local/include/half.h
COPY --from=builder /usr/local/bin/half /usr/local/bin/half
RUN ldconfig
CMD ["half", "42"]

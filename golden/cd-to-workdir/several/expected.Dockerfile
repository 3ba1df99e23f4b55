FROM debian:13-slim AS build
WORKDIR /a
RUN make
WORKDIR /b
RUN make && make install
FROM scratch
COPY --from=build /a /b

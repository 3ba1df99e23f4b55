FROM debian:13-slim AS build
WORKDIR /src
RUN make && \
    make install
FROM scratch
COPY --from=build /a /b

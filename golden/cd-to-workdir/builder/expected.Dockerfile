FROM debian:13-slim AS build
WORKDIR /src
RUN make
FROM scratch
COPY --from=build /a /b

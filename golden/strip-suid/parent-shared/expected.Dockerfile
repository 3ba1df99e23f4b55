FROM debian:13 AS base
RUN apt-get update && apt-get install -y curl
FROM base AS build
RUN make
FROM base
RUN find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
COPY --from=build /app /app
CMD ["/app"]

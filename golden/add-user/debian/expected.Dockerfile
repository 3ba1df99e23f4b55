FROM golang:1.25 AS build
WORKDIR /src
RUN go build -o /server .

FROM debian:13-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/app
COPY --from=build /server ./
EXPOSE 8080/tcp
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && chown 10001:10001 /srv/app
USER 10001
# what runs
HEALTHCHECK CMD curl -f http://localhost:8080/
ENTRYPOINT ["./server"]
CMD ["--port=8080"]

# syntax=docker/dockerfile:1
FROM scratch
COPY --from=build /etc/passwd /etc/passwd
COPY app /app
USER 10001:10001
ENTRYPOINT ["/app"]

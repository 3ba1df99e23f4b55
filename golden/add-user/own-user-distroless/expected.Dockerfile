FROM gcr.io/distroless/static-debian12
WORKDIR /app
COPY app ./
USER 65532
ENTRYPOINT ["./app"]

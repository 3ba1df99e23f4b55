FROM gcc:14 AS build
COPY main.c /
RUN gcc -static -o /show /main.c
FROM gcr.io/distroless/cc-debian13
COPY --from=build /show /show
ENTRYPOINT ["/show"]

FROM debian:13-slim AS build
RUN make
FROM debian:13-slim
COPY --from=build /server /server
CMD ["/server"]

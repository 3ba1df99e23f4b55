FROM python:3.12 AS build
RUN make tool
FROM debian:bookworm-slim
COPY --from=build /tool /tool
CMD ["/tool"]

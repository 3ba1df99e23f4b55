FROM debian:13
COPY app /app
RUN useradd --uid 65532 --user-group --create-home --shell /usr/sbin/nologin nonroot
USER 65532
CMD ["/app"]

FROM debian:13
WORKDIR /app
COPY app ./
RUN ["chmod", "+x", "./app"]
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && chown 10001:10001 /app
USER 10001
CMD ["./app"]

FROM debian:13
RUN groupadd -g 500 svc && useradd -r -u 500 -g svc svc
COPY --chown=svc:svc app /app
USER 500
CMD ["/app"]

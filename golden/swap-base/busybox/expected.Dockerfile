FROM busybox:1.37
WORKDIR /srv
COPY report.sh ./
RUN chmod +x report.sh && mkdir -p out
CMD ["./report.sh"]

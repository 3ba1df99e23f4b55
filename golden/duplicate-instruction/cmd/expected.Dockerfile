FROM debian:13-slim
RUN touch /x
CMD ["b"]

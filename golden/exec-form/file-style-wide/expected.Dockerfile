FROM debian:13-slim
VOLUME [ "/a", "/b" ]
CMD [ "sleep", "3600" ]

FROM debian:13-slim
ENV LANG=C.UTF-8
ENV   PATH=/opt/bin:$PATH
LABEL version=1.0

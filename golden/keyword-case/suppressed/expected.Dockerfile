FROM debian:13-slim
ENV A=1
# dfopt: ignore=keyword-case
run true
USER root

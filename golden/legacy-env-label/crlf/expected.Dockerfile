FROM debian:13-slim
ENV A=1
ENV Q="1 2"
ENV B="1 2"

FROM debian:13-slim
ENV Q="1 2"
ENV A="café b"

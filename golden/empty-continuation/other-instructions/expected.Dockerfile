FROM debian:13-slim
ENV A=1 \
    B=2
LABEL a=b \
    c=d
CMD ["a", \
    "b"]

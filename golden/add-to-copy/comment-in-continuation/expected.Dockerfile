FROM debian:13-slim
COPY a.txt \
    # and
    b.txt \
    /x/

from debian:13-slim
run touch /tmp/a \
    && rm -f /tmp/a

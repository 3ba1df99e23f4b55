from debian:13-slim
label title="a b"
label org.opencontainers.image.authors="me"

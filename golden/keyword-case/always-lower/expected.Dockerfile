from debian:13-slim
run true

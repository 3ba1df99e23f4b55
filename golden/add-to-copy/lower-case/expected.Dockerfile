from debian:13-slim
copy a.txt /x/

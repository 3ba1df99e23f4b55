FROM debian:13-slim
SHELL ["/bin/bash", "-c"]
ENV X=1
CMD b

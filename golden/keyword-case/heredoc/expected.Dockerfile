FROM debian:13-slim
ENV A=1
RUN <<EOF
run this
from here
EOF
COPY <<EOF /x
run
EOF

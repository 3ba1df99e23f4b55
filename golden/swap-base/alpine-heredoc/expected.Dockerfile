FROM alpine:3.22
RUN <<EOF
mkdir -p /opt/tool
echo ready > /opt/tool/state
EOF
CMD cat /opt/tool/state

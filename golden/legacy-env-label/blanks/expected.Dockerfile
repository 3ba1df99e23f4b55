FROM debian:13-slim
LABEL title="a b"
ENV QUOTED="a b"
ENV OPTS="-a  -b   $X ${Y:-a b}"
LABEL authors="Jane Doe <jane@example.org>"

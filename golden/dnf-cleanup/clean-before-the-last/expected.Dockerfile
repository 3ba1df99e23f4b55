FROM fedora:42
RUN dnf install -y wget && dnf clean all && wget -q https://example.com/a.rpm \
    && dnf install -y ./a.rpm && rm a.rpm \
    && dnf clean all

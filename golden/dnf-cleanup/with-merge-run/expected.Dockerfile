FROM fedora:42
RUN dnf install -y gcc \
    && dnf remove -y gcc \
    && dnf clean all

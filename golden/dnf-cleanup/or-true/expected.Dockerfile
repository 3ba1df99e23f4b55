FROM fedora:42
RUN dnf install -y nginx || true && dnf clean all

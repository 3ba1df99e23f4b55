FROM fedora:42
RUN dnf install -y nginx && dnf clean all

FROM fedora:42
RUN dnf install -y \
        nginx && \
    systemctl enable nginx && \
    dnf clean all

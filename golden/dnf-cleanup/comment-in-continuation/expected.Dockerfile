FROM fedora:42
RUN dnf install -y \
    # the server
    nginx \
    # the client
    curl \
    && dnf clean all

FROM rockylinux:9
RUN dnf install -y \
        bash \
        gcc \
        make \
    && dnf clean all

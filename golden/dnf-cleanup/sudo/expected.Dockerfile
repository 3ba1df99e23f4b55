FROM fedora:42
USER app
RUN sudo -E dnf install -y nginx && sudo -E dnf clean all

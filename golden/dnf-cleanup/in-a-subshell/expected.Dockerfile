FROM fedora:42
RUN (cd /srv && dnf install -y ./*.rpm) && dnf clean all

FROM fedora:42
RUN dnf -y update; dnf -y install nginx && dnf clean all

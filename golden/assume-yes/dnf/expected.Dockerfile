FROM fedora:42
RUN dnf install -y nginx
RUN yum update -y
RUN tdnf install -y nginx

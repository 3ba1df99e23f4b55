FROM fedora:42
RUN <<EOF
set -e
dnf install -y nginx
dnf clean all
EOF

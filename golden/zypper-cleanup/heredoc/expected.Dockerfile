FROM opensuse/leap:15.6
RUN <<EOF
set -e
zypper -n in nginx
zypper clean --all
EOF

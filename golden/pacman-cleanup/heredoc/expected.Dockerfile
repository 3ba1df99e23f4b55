FROM archlinux:base
RUN <<EOF
set -e
pacman -Syu --noconfirm nginx
rm -rf /var/cache/pacman/pkg/* /var/lib/pacman/sync/*
EOF

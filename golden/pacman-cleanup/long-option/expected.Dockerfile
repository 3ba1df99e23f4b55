FROM archlinux:base
RUN pacman --sync --refresh --noconfirm nginx && rm -rf /var/cache/pacman/pkg/* /var/lib/pacman/sync/*

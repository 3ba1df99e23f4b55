FROM archlinux:base
RUN pacman -Syu --noconfirm \
    # the server
    nginx \
    && rm -rf /var/cache/pacman/pkg/* /var/lib/pacman/sync/*

FROM archlinux:base
RUN pacman -Syu --noconfirm nginx && rm -rf /var/cache/pacman/pkg/*
RUN pacman -S --noconfirm curl && rm -rf /var/cache/pacman/pkg/* /var/lib/pacman/sync/*

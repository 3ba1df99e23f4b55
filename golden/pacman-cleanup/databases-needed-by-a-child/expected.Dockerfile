FROM archlinux:base AS base
RUN pacman -Syu --noconfirm nginx && rm -rf /var/cache/pacman/pkg/*
FROM base
RUN pacman -S --noconfirm curl && rm -rf /var/cache/pacman/pkg/* /var/lib/pacman/sync/*

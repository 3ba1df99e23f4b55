FROM archlinux:base
RUN pacman -Syu --noconfirm nginx && pacman -S --noconfirm git && pacman -Ss curl && pacman -Si curl

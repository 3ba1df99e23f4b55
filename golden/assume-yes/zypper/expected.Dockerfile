FROM opensuse/leap:15.6
RUN zypper install -y nginx && zypper in -y curl && zypper -n in git

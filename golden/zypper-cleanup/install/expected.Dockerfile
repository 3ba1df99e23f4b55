FROM opensuse/leap:15.6
RUN zypper --non-interactive install nginx && zypper clean --all
RUN zypper -n up && zypper clean --all

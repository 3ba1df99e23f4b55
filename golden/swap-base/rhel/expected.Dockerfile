FROM redhat/ubi9
RUN dnf install -y gcc-c++ openssl-devel xz
RUN useradd -m app
USER app
CMD ["sleep", "60"]

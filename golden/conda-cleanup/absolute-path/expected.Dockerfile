FROM debian:13
RUN /opt/conda/bin/conda install -y numpy && /opt/conda/bin/conda clean --all --yes

FROM continuumio/miniconda3
RUN conda install -y mamba && mamba install -y numpy && mamba clean --all --yes

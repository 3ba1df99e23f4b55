FROM continuumio/miniconda3
RUN conda install -y numpy && conda clean --all --yes
RUN conda env create -f environment.yml && conda clean --all --yes

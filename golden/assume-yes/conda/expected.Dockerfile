FROM continuumio/miniconda3
RUN conda install -y numpy && conda env create -f environment.yml && conda create -y -n other

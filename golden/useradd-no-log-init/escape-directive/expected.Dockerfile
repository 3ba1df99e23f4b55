# escape=`
FROM ubuntu:22.04
RUN useradd -l `
    -u 1000650000 app

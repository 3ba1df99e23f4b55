FROM mcr.microsoft.com/dotnet/runtime:7.0-cbl-mariner2.0
RUN yum install -y dnf && yum clean all
RUN dnf install -y glibc-devel && dnf clean all

# syntax=docker/dockerfile:1
FROM mcr.microsoft.com/dotnet/sdk:9.0 AS build
RUN --mount=type=cache,target=/root/.nuget/packages,sharing=locked dotnet restore
RUN --mount=type=cache,target=/root/.nuget/packages,sharing=locked dotnet publish -c Release -o /out
FROM mcr.microsoft.com/dotnet/sdk:9.0 AS other
RUN dotnet restore
RUN dotnet publish -c Release --no-restore -o /out
FROM mcr.microsoft.com/dotnet/sdk:9.0
RUN dotnet build -o /out

FROM mcr.microsoft.com/dotnet/sdk:8.0 AS builder
WORKDIR /src
COPY Web/ Web/
RUN dotnet publish Web/Web.csproj -c Release -o /app

FROM mcr.microsoft.com/dotnet/aspnet:8.0
WORKDIR /app
COPY --from=builder /app /app
ENTRYPOINT ["dotnet", "Web.dll"]

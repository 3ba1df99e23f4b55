# syntax=docker/dockerfile:1
FROM maven:3.9 AS build
RUN --mount=type=cache,target=/root/.m2/repository,sharing=locked mvn -B dependency:go-offline
RUN --mount=type=cache,target=/root/.m2/repository,sharing=locked mvn -B package
FROM eclipse-temurin:21-jre
CMD ["java", "-jar", "/app.jar"]

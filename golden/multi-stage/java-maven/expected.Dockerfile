FROM maven:3.9-eclipse-temurin-21 AS builder
ARG VERSION=1
WORKDIR /app
COPY pom.xml .
COPY src src
RUN mvn -B package -DskipTests

FROM eclipse-temurin:21-jre
ARG VERSION=1
WORKDIR /app
LABEL version=$VERSION
COPY --from=builder /app/target/web-1.jar /app/target/web-1.jar
EXPOSE 8080
ENTRYPOINT ["java", "-jar", "/app/target/web-1.jar"]

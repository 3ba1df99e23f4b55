FROM maven:3.9 AS build
WORKDIR /src
COPY pom.xml ./
RUN mvn -B -Pprod dependency:go-offline
COPY . .
RUN mvn -Pprod clean package -DskipTests

FROM eclipse-temurin:21-jre
COPY --from=build /src/target/app-1.0.jar /app.jar
CMD ["java", "-jar", "/app.jar"]

FROM maven:3.9
WORKDIR /src
COPY pom.xml ./
RUN mvn dependency:go-offline
COPY . .
RUN mvn package

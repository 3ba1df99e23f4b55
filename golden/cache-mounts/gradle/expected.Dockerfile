# syntax=docker/dockerfile:1
FROM gradle:8 AS build
RUN --mount=type=cache,target=/root/.gradle/caches,sharing=locked ./gradlew build
FROM gradle:8
RUN gradle build
CMD ["gradle", "run"]

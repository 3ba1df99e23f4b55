#!/bin/sh
exec java $JAVA_OPTS -jar /opt/quiz.jar "$@"

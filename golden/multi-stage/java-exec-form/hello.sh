#!/bin/sh
exec java -jar /opt/hello.jar "$@"

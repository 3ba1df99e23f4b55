#!/bin/sh
exec server "$@"

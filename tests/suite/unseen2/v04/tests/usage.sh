#!/bin/sh
./sieve
test $? -eq 2

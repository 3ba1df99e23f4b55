#!/bin/sh
ls -l out | wc -l

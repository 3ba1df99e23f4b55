#!/bin/sh
echo started > state
exec python server.py

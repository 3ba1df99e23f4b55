#!/bin/bash
chown -R app /data
exec app

#!/bin/sh
sed -i "s/x/$X/" /etc/app.conf
exec app

"""Directories that a base image has."""

from __future__ import annotations

# Directories that a base image has: nothing of them is copied as a whole
SYSTEM = frozenset(
    ("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root",
     "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/include", "/usr/lib", "/usr/libexec",
     "/usr/local", "/usr/local/bin", "/usr/local/etc", "/usr/local/include", "/usr/local/lib", "/usr/local/sbin",
     "/usr/local/share", "/usr/sbin", "/usr/share", "/usr/src", "/var", "/var/cache", "/var/lib", "/var/log",
     "/var/run", "/var/tmp", "/var/www", "/etc/nginx", "/etc/nginx/conf.d", "/usr/share/nginx",
     "/usr/share/nginx/html", "/go", "/go/bin", "/go/src", "/etc/ssl", "/etc/ssl/certs", "/etc/profile.d",
     "/etc/ld.so.conf.d", "/var/www/html")
)  # fmt: skip


# ... except what is empty there, or belongs to whoever fills it
SHARED = SYSTEM - {
    "/opt", "/srv", "/var/www", "/var/www/html", "/usr/share/nginx/html", "/etc/nginx/conf.d", "/usr/src", "/go/src",
    "/mnt",
}  # fmt: skip

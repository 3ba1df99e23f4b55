"""TLS settings per registry host: the machine's trust, private CAs, client certificates.

Trust comes from OpenSSL's default places, which $SSL_CERT_FILE and $SSL_CERT_DIR replace, else from certifi. On top of
it stand an explicit CA file and, per host, docker's directories: /etc/docker/certs.d/HOST[:PORT]/ with `*.crt` (CAs)
and `*.cert` + `*.key` (client certificate), and the same under /etc/containers/certs.d. Source: docker's page "Verify
repository client with certificates", containers-certs.d(5).
"""

from __future__ import annotations

import os
import ssl

from dfopt.registry.errors import SettingsError

CERTS_DIRS = ("/etc/docker/certs.d", "/etc/containers/certs.d")


class TlsSettings:
    """Makes one SSL context per host that has its own files, and one for all others.

    `ca_file`: PEM certificates to trust besides the machine's. `certs_dirs`: where HOST[:PORT] directories lie.
    """

    def __init__(self, ca_file: str | None = None, certs_dirs: tuple[str, ...] = CERTS_DIRS) -> None:
        self._ca_file = ca_file
        self._certs_dirs = certs_dirs
        self._common: ssl.SSLContext | None = None

    def context(self, host: str, insecure: bool = False) -> ssl.SSLContext:
        """The context for "host[:port]"; `insecure`: any certificate will do. Raises SettingsError."""
        folders = self._folders(host)
        if insecure:
            context = self._base()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif not folders:
            if self._common is None:
                self._common = self._base()
            return self._common
        else:
            context = self._base()
        for folder in folders:
            self._add_folder(context, folder)
        return context

    def _folders(self, host: str) -> list[str]:
        if "/" in host or host in ("", ".", ".."):
            return []
        paths = [os.path.join(root, host) for root in self._certs_dirs]
        return [path for path in paths if os.path.isdir(path)]

    def _base(self) -> ssl.SSLContext:
        for name, exists in (("SSL_CERT_FILE", os.path.isfile), ("SSL_CERT_DIR", _any_dir)):
            value = os.environ.get(name)
            if value and not exists(value):  # OpenSSL would say nothing, and every certificate would fail
                raise SettingsError(f"${name} names {value}, which does not exist")
        context = ssl.create_default_context()
        # On by default since Python 3.13: refuses private CAs that docker takes, for want of an extension.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        places = ssl.get_default_verify_paths()
        if places.cafile is None and places.capath is None and not context.cert_store_stats()["x509_ca"]:
            import certifi  # comes with httpx

            context.load_verify_locations(certifi.where())
        if self._ca_file is not None:
            _load_ca(context, self._ca_file)
        return context

    def _add_folder(self, context: ssl.SSLContext, folder: str) -> None:
        try:
            names = sorted(os.listdir(folder))
        except OSError as error:
            raise SettingsError(f"{folder} cannot be read: {error.strerror}") from None
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".crt"):
                _load_ca(context, path)
            elif name.endswith(".cert"):
                key = path[: -len(".cert")] + ".key"
                if not os.path.isfile(key):
                    raise SettingsError(f"client certificate {path} has no key {key}")
                try:
                    # An encrypted key would make OpenSSL ask on the terminal; an empty password makes it fail instead.
                    context.load_cert_chain(path, key, password="")
                except (OSError, ValueError) as error:
                    raise SettingsError(f"client certificate {path} cannot be used: {_reason(error)}") from None


def _any_dir(value: str) -> bool:
    return any(os.path.isdir(part) for part in value.split(os.pathsep))


def _load_ca(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except OSError as error:  # ssl.SSLError is an OSError
        raise SettingsError(f"CA file {path} cannot be used: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "no PEM certificate in it, or a broken one"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__

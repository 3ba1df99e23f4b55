"""The registry client that the command line configures. Importing this module imports httpx."""

from __future__ import annotations

import os

from dfopt.cli.errors import UsageError
from dfopt.registry.client import RegistryClient
from dfopt.registry.errors import RegistryError
from dfopt.registry.mirrors import Mirrors, read_registries_conf, standard_files
from dfopt.registry.resolution import ClientOptions
from dfopt.registry.transport import NetworkLimits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values

HUB = "docker.io"


def client_of(values: Values) -> RegistryClient:
    """A client with the limits, mirrors and certificates of the command line (if the command has such options), on top
    of the system's registries.conf. Raises UsageError."""
    options = values.given
    limits = NetworkLimits()
    total = float(options.get("time_limit") or limits.total)
    limits = NetworkLimits(
        min(limits.connect, total), min(limits.read, total), total, limits.attempts, min(limits.max_wait, total),
        options.get("concurrency") or limits.concurrency,
    )  # fmt: skip
    mirrors_by_host: dict[str, list[str]] = {}
    for text in options.get("registry_mirror", ()):
        name, equals, host = text.partition("=")
        mirrors_by_host.setdefault(name if equals else HUB, []).append(host if equals else text)
    ca_file = options.get("ca_file")
    if ca_file is not None and not os.path.isfile(ca_file):
        raise UsageError(f'--ca-file: no such file: "{ca_file}"')
    try:
        configured = read_registries_conf(standard_files(os.environ))
        mirrors = Mirrors([*configured.rules.values(), *Mirrors.of(mirrors_by_host).rules.values()])
    except RegistryError as failure:
        raise UsageError(str(failure)) from None
    return RegistryClient(ClientOptions(limits, mirrors, options.get("insecure_registry", ()), ca_file))

"""What `dfopt pin --facts` asks of base images, for the lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dfopt.cli import out
from dfopt.cli.progress import shown
from dfopt.image.base_image import base_of
from dfopt.image.errors import ImageError
from dfopt.registry.errors import RegistryError
from dfopt.registry.locked_base import told_secret

if TYPE_CHECKING:
    from dfopt.cli.digests import Digests
    from dfopt.registry.client import RegistryClient


def add_base_facts(digests: Digests, client: RegistryClient) -> None:
    """Adds to the lock what is not in it yet; of an image that cannot be read, or that tells a secret, a warning says
    why it is left out."""
    for use, digest in shown("reading the settings of base images", list(digests.bases()), digests.quiet):
        if digests.lock.base(digest) is not None:
            continue
        repository = use.text.partition("@")[0]
        try:
            base = base_of(f"{repository}@{digest}", digest, client)
        except (ImageError, RegistryError, OSError) as failure:
            why = str(failure)
        else:
            name = told_secret(base.config)
            if not name:
                digests.lock.set_base(base)
                continue
            why = f"its ENV has {name}, which may be a secret"
        out.note(f"{out.printable(f'{use.place}: warning: no facts of {use.text}: {why}')}\n")

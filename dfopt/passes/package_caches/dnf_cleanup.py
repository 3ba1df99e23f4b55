from __future__ import annotations

from dfopt.findings import Declares
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.package_caches.clean_after import CleanAfter


class DnfCleanup(CleanAfter, Pass):
    """Removes the metadata and packages that dnf, yum, microdnf and tdnf keep, in the layer that downloaded them.

    One `dnf install` leaves the metadata of every repository under /var/cache: 20 to 300 MB. This pass appends
    `dnf clean all` (of the program that the RUN uses) in the RUN's own style.

    Why: nothing at run time reads it, and dnf fetches it anew whenever it is needed.

    Example:

    ```dockerfile
    FROM fedora:42
    RUN dnf install -y nginx
    ```

    ```dockerfile
    FROM fedora:42
    RUN dnf install -y nginx && dnf clean all
    ```

    Refuses: where a later step installs with `-C` or `--cacheonly`; a background job or a comment at the end; a heredoc
    script that is not under `set -e`; a package manager that runs on a condition only, or that the RUN takes away
    (`rpm -e python`); ONBUILD. Does nothing where the RUN cleans up in any spelling, where a cache mount holds
    /var/cache, or with `--installroot`.

    Declares: the RUN gains one command at its end.
    """

    name = "dnf-cleanup"
    group = "size"
    phase = "caches"
    codes = ("DL3032", "DL3040")
    triggers = ("dnf", "yum")
    order = 30
    options = (STAGES,)
    family = "dnf"
    words = ("dnf", "yum")
    pattern = r"\b(?:dnf|yum)\s+(?:-\S+\s+)*(?:install|update|upgrade)\b"
    what = "dnf's cache"
    system = True
    declares = Declares(caches=("dnf",))

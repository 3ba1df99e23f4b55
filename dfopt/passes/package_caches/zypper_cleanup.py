from __future__ import annotations

from dfopt.findings import Declares
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.package_caches.clean_after import CleanAfter


class ZypperCleanup(CleanAfter, Pass):
    """Removes the metadata that zypper keeps, in the layer that downloaded it.

    zypper leaves repository metadata and solver files under /var/cache/zypp. This pass appends `zypper clean --all` in
    the RUN's own style.

    Why: nothing at run time reads them, and zypper fetches them anew whenever they are needed.

    Example:

    ```dockerfile
    FROM opensuse/leap:15.6
    RUN zypper --non-interactive install nginx
    ```

    ```dockerfile
    FROM opensuse/leap:15.6
    RUN zypper --non-interactive install nginx && zypper clean --all
    ```

    Refuses: where a later step installs with `--no-refresh`; a background job or a comment at the end; a heredoc script
    that is not under `set -e`; a zypper that runs on a condition only; ONBUILD. Does nothing where the RUN cleans up in
    any spelling, where a cache mount holds /var/cache/zypp, or with `--root`.

    Declares: the RUN gains one command at its end.
    """

    name = "zypper-cleanup"
    group = "size"
    phase = "caches"
    codes = ("DL3036",)
    triggers = ("zypper",)
    order = 30
    options = (STAGES,)
    family = "zypper"
    words = ("zypper",)
    pattern = r"\bzypper\s+(?:-\S+\s+)*(?:install|in|update|up|dup|patch)\b"
    what = "zypper's cache"
    system = True
    declares = Declares(caches=("zypper",))

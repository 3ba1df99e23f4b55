"""Package managers that can empty their own cache: a row each (see `engine`)."""

from __future__ import annotations

from dfopt.passes.base import Pass
from dfopt.passes.package_caches.engine import CleanupRow


class ZypperCleanup(CleanupRow, Pass):
    """Removes the metadata that zypper keeps, in the layer that downloaded it.

    zypper leaves repository metadata and solver files under /var/cache/zypp. This pass appends `zypper clean --all` in
    the RUN's own style.

    Why: nothing at run time reads them, and zypper fetches them anew whenever they are needed.
    """

    family = "zypper"
    codes = ("DL3036", "DS-0020")
    system = True
    example = "FROM opensuse/leap:15.6\nRUN zypper --non-interactive install nginx", "zypper clean --all"


class DnfCleanup(CleanupRow, Pass):
    """Removes the metadata and packages that dnf, yum, microdnf and tdnf keep, in the layer that downloaded them.

    One `dnf install` leaves the metadata of every repository under /var/cache: 20 to 300 MB. This pass appends
    `dnf clean all` (of the program that the RUN uses) in the RUN's own style.

    Why: nothing at run time reads it, and dnf fetches it anew whenever it is needed.
    """

    family = "dnf"
    words = ("dnf", "yum")
    codes = ("DL3032", "DL3040", "DS-0015", "DS-0019", "DS-0027")
    system = True
    example = "FROM fedora:42\nRUN dnf install -y nginx", "dnf clean all"


class NpmCleanup(CleanupRow, Pass):
    """Empties npm's cache in the layer that filled it.

    `npm install` and `npm ci` keep every archive that they download under ~/.npm, beside what they unpack from it. This
    pass appends `npm cache clean --force` in the RUN's own style.

    Why: nothing at run time reads the cache. Measured: 3.3 MB less for express 4 alone.
    """

    family = "npm"
    own_paths = ("lib/node_modules", "bin/n", ".nvm", "/opt/node", "/usr/local/node")
    example = (
        "FROM node:22-slim\nCOPY package.json package-lock.json ./\nRUN npm ci --omit=dev",
        "npm cache clean --force",
    )


class PnpmCleanup(CleanupRow, Pass):
    """Removes the registry's answers that pnpm keeps, in the layer that downloaded them.

    pnpm keeps the metadata of every package that it looked up under ~/.cache/pnpm. This pass appends `pnpm store prune`
    in the RUN's own style, which also deletes what the store holds for nobody. (What is installed stays: its files are
    hard links of those in the store, and cost nothing twice.)

    Why: nothing at run time reads them. Measured: 5.6 MB less for express 4 alone.
    """

    family = "pnpm"
    own_paths = ("lib/node_modules", "bin/n", "bin/pnpm", ".nvm")
    example = (
        "FROM node:22-slim\nCOPY package.json pnpm-lock.yaml ./\n"
        "RUN npm install -g pnpm@10 && npm cache clean --force\nRUN pnpm install --prod",
        "pnpm store prune",
    )


class CondaCleanup(CleanupRow, Pass):
    """Removes the archives and indexes that conda, mamba and micromamba keep, in the layer that downloaded them.

    conda keeps the archive of every package and the index of every channel under pkgs/. This pass appends `conda clean
    --all --yes` (of the program that the RUN uses) in the RUN's own style. Unpacked packages that an environment uses
    stay: the environment's files are hard links of them.

    Why: nothing at run time reads the archives, which hold a copy of every package.
    """

    family = "conda"
    words = ("conda", "mamba")
    own_paths = ("conda", "mamba")
    unless = ("softlink", "packages may be symbolic links into the cache")
    refuses = "Refuses as well where packages are symbolic links into the cache."
    example = "FROM continuumio/miniconda3\nRUN conda install -y numpy", "conda clean --all --yes"

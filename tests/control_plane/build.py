# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build etcd and the Kubernetes programs from their published Go modules.

`k8s.io/kubernetes` is published as a module whose go.mod points the modules of its own tree (`k8s.io/api` and the
others) at folders that only the repository has. The same modules are published one by one as v0.X.Y, so a go.mod of
our own requires Kubernetes and replaces each of them. The version is not in the sources; the linker writes it in.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .golang import BuildError, Go, Module, Progress, elapsed, get_go, go_directive, write_go_mod
from .versions import Release, Version, numbers

KUBERNETES_MODULE = "k8s.io/kubernetes"
ETCD_MODULE = "go.etcd.io/etcd/server/v3"
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
ANY_GO = "1.20"
SCRATCH = ".build-"


class WrongVersionError(RuntimeError):
    """A program is there but is not of the version that is needed."""


def version_of(program: Path) -> Version:
    """Return the version that a program tells about itself."""
    arguments = ["version", "--client"] if program.name == "kubectl" else ["--version"]
    done = subprocess.run([str(program), *arguments], check=True, text=True, capture_output=True)
    found = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", done.stdout)
    if not found:
        raise WrongVersionError(f"{program} does not tell its version")
    return int(found[1]), int(found[2]), int(found[3])


def build(wanted: Release, names: Sequence[str], cache: Path, progress: Progress) -> None:
    """Build the named programs into the folder `cache`; the caller makes sure that nobody else does."""
    start = time.monotonic()
    progress(f"building {', '.join(names)} for Kubernetes {wanted.kubernetes}; this takes minutes, once")
    for left in cache.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    kubernetes = [name for name in names if name != "etcd"]
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=cache) as folder:
        if "etcd" in names:
            _Builder(ETCD_MODULE, wanted.etcd, cache, Path(folder), progress).etcd()
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=cache) as folder:
        if kubernetes:
            _Builder(KUBERNETES_MODULE, wanted.kubernetes, cache, Path(folder), progress).kubernetes(wanted, kubernetes)
    progress(f"built in {elapsed(start)}, kept in {cache}")


class _Builder:
    """Builds programs of one module in one temporary folder."""

    def __init__(self, path: str, version: str, cache: Path, folder: Path, progress: Progress) -> None:
        self.version = version
        self.cache = cache
        self.folder = folder
        self.progress = progress
        tools = cache.parent
        self.module: Module = get_go(ANY_GO, tools, folder, progress).module(path, f"v{version}", folder)
        self.go: Go = get_go(go_directive(self.module), tools, folder, progress)

    def etcd(self) -> None:
        write_go_mod(self.folder, self.module, {})
        self.program("etcd", ETCD_MODULE, [])

    def kubernetes(self, wanted: Release, names: Sequence[str]) -> None:
        write_go_mod(self.folder, self.module, self.staging(wanted.staging))
        flags = self.version_flags(wanted)
        # One program at a time: compiling one takes up to 1.8 GiB.
        for name in names:
            self.program(name, f"{KUBERNETES_MODULE}/cmd/{name}", flags)

    def staging(self, version: str) -> dict[str, str]:
        """Return replaces for the modules that Kubernetes keeps in its own tree and publishes as v0.X.Y."""
        names = re.findall(r"^\s*(?:replace\s+)?(k8s\.io/\S+) => \./staging/", self.module.go_mod, re.MULTILINE)
        if not names:
            raise BuildError(f"the go.mod of {KUBERNETES_MODULE} {self.version} names no staging modules")
        return {name: f"{name} v{version}" for name in names}

    def version_flags(self, wanted: Release) -> list[str]:
        """Return the linker flags that write the version into the programs."""
        major, minor, _unused = numbers(wanted.kubernetes)
        facts = {
            "gitVersion": f"v{wanted.kubernetes}",
            "gitMajor": str(major),
            "gitMinor": str(minor),
            "gitTreeState": "clean",
            "gitCommit": wanted.commit,
            "buildDate": self.module.time,
        }
        return [
            f"-X {package}.{name}={value}" for package in VERSION_PACKAGES for name, value in facts.items() if value
        ]

    def program(self, name: str, package: str, flags: Sequence[str]) -> None:
        """Build one program, check that it is the right version, move it into the cache."""
        start = time.monotonic()
        self.progress(f"{name} {self.version}: compiling")
        output = self.folder / name
        self.go.build(package, output, flags, cwd=self.folder, progress=self.progress)
        version = version_of(output)
        if version != numbers(self.version):
            raise WrongVersionError(f"the {name} that was built says it is {'.'.join(map(str, version))}")
        output.rename(self.cache / name)
        self.progress(f"{name} {self.version}: done in {elapsed(start)}")

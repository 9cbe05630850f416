# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the programs of a control plane, or build them once and cache them.

Looked at in this order: the folder KUBEBUILDER_ASSETS, PATH, the project's cache, and at last a build from the Go
modules into that cache. What is found must be of the release line; what is built must be exactly its version.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .build import WrongVersionError, build, version_of
from .golang import Progress, elapsed
from .versions import Release, numbers, release

KUBERNETES_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
PROGRAMS = ("etcd", *KUBERNETES_PROGRAMS)
OPTIONAL_PROGRAMS = ("kubectl",)


@dataclass(frozen=True)
class Binaries:
    """Where the programs of one control plane are."""

    release: Release
    etcd: Path
    apiserver: Path
    controller_manager: Path
    scheduler: Path
    kubectl: Path | None


def say(text: str) -> None:
    """Print one progress line, to standard error."""
    print(f"control plane: {text}", file=sys.stderr, flush=True)


def cache_root() -> Path:
    """Return the project's cache: below SP_CACHE, else below the user's cache."""
    if chosen := os.environ.get("SP_CACHE"):
        return Path(chosen).expanduser().absolute() / "control-plane"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "k8s-self-provisioning" / "control-plane"


def _fits(program: Path, wanted: Release) -> bool:
    """Return whether a program found on the machine can serve the release line."""
    try:
        version = version_of(program)
    except (OSError, subprocess.CalledProcessError, WrongVersionError):
        return False
    if program.name == "etcd":
        return version >= wanted.etcd_minimum
    return version[:2] == numbers(wanted.kubernetes)[:2]


def find(line: str | None = None, *, kubectl: bool = False, progress: Progress = say) -> Binaries:
    """Return all programs of a release line; what is nowhere to be found is built, kubectl only when asked for."""
    wanted = release(line)
    cache = cache_root() / wanted.kubernetes
    needed = [*PROGRAMS, *(OPTIONAL_PROGRAMS if kubectl else ())]
    found = _found(wanted, cache)
    if any(name not in found for name in needed):
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache.parent / ".lock", progress):
            found = _found(wanted, cache)
            missing = [name for name in needed if name not in found]
            if missing:
                build(wanted, missing, cache, progress)
                found = _found(wanted, cache)
    return Binaries(
        release=wanted,
        etcd=found["etcd"],
        apiserver=found["kube-apiserver"],
        controller_manager=found["kube-controller-manager"],
        scheduler=found["kube-scheduler"],
        kubectl=found.get("kubectl"),
    )


def _found(wanted: Release, cache: Path) -> dict[str, Path]:
    found = {}
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    for name in (*PROGRAMS, *OPTIONAL_PROGRAMS):
        if assets and (program := Path(assets).expanduser().absolute() / name).is_file():
            if not _fits(program, wanted):
                raise WrongVersionError(f"KUBEBUILDER_ASSETS has a {name} that does not fit release line {wanted.line}")
            found[name] = program
        elif (on_path := shutil.which(name)) and _fits(Path(on_path), wanted):
            found[name] = Path(on_path).absolute()
        elif (cache / name).is_file():
            found[name] = cache / name
    return found


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock that ends with the process, so that two runs do not build at once."""
    with path.open("w", encoding="utf-8") as handle:
        start = time.monotonic()
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    progress("another run builds programs, waiting for it")
                    told = True
                time.sleep(1)
        if told:
            progress(f"waited {elapsed(start)}")
        yield

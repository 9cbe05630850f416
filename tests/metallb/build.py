# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build MetalLB's controller once from its Go module, into the project's cache, beside its released manifests."""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import RELEASE_LINES

from ..control_plane.binaries import cache_root as control_plane_cache
from ..control_plane.build import ANY_GO, SCRATCH
from ..control_plane.golang import Progress, elapsed, get_go, go_directive, write_go_mod

MODULE = "go.universe.tf/metallb"
PROGRAM = "controller"


@dataclass(frozen=True)
class Built:
    """One release of MetalLB.

    @param manifests: the folder of its released manifests.
    """

    version: str
    controller: Path
    manifests: Path


def say(text: str) -> None:
    """Print one progress line, to standard error."""
    print(f"metallb: {text}", file=sys.stderr, flush=True)


def find(line: str, *, progress: Progress = say) -> Built:
    """The MetalLB of a release line; built first when it is not in the cache."""
    version = RELEASE_LINES[line].services["metallb"]
    cache = control_plane_cache().parent / "metallb" / version
    made = Built(version, cache / PROGRAM, cache / "manifests")
    if not _is_there(made):
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache.parent / ".lock", progress):
            if not _is_there(made):
                _build(made, cache, progress)
    return made


def _is_there(made: Built) -> bool:
    return made.controller.exists() and made.manifests.exists()


def _build(made: Built, cache: Path, progress: Progress) -> None:
    start = time.monotonic()
    progress(f"building MetalLB's controller {made.version}; this takes minutes, once")
    for left in cache.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    tools = control_plane_cache()
    tools.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=cache) as name:
        folder = Path(name)
        go = get_go(ANY_GO, tools, folder, progress)
        module = go.module(MODULE, f"v{made.version}", folder)
        answer = json.loads(go.run("mod", "download", "-json", f"{MODULE}@v{made.version}", cwd=folder))
        new = folder / "manifests"
        shutil.copytree(Path(answer["Dir"]) / "config" / "manifests", new, copy_function=shutil.copyfile)
        new.chmod(0o755)
        shutil.rmtree(made.manifests, ignore_errors=True)
        new.rename(made.manifests)
        go = get_go(go_directive(module), tools, folder, progress)
        write_go_mod(folder, module, {})
        go.build(f"{MODULE}/{PROGRAM}", folder / PROGRAM, (), cwd=folder, progress=progress)
        (folder / PROGRAM).rename(made.controller)
    progress(f"built in {elapsed(start)}, kept in {cache}")


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock that ends with the process, so that two runs do not build at once."""
    with path.open("w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another run builds MetalLB, waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield

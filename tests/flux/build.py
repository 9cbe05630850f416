# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the controllers once from their Go modules, into the project's cache.

A module's go.mod may replace modules. Replacements by folders of its own repository are published under the same
version; the others are taken over, so that what is built is what its authors build.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..control_plane.binaries import cache_root as control_plane_cache
from ..control_plane.build import ANY_GO, SCRATCH
from ..control_plane.golang import Go, Module, Progress, elapsed, get_go, go_directive, write_go_mod
from .versions import FLUX2, SOPS, SOPS_IN, Flux, release

_REPLACED = re.compile(r"^\s*(?:replace\s+)?(\S+(?: v\S+)?) => ((?!\.)\S+ v\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Built:
    """Programs and manifests of one release of Flux.

    @param sources: the folder of each module, flux2 included.
    """

    release: Flux
    programs: Mapping[str, Path]
    sops: Path
    sources: Mapping[str, Path]


def say(text: str) -> None:
    """Print one progress line, to standard error."""
    print(f"flux: {text}", file=sys.stderr, flush=True)


def cache_root() -> Path:
    """The folder of these programs in the project's cache."""
    return control_plane_cache().parent / "flux"


def find(line: str | None = None, *, progress: Progress = say) -> Built:
    """The programs of a line's Flux; built first when they are not in the cache."""
    wanted = release(line)
    cache = cache_root() / wanted.version
    if not _is_there(wanted, cache):
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache.parent / ".lock", progress):
            if not _is_there(wanted, cache):
                _build(wanted, cache, progress)
    programs = {name: cache / name for name in wanted.programs}
    sources = {name: cache / "src" / name for name in (*wanted.controllers, "flux2")}
    return Built(wanted, programs, cache / "sops", sources)


def _is_there(wanted: Flux, cache: Path) -> bool:
    names = (*wanted.programs, "sops", *(f"src/{name}" for name in (*wanted.controllers, "flux2")))
    return all((cache / name).exists() for name in names)


def _build(wanted: Flux, cache: Path, progress: Progress) -> None:
    start = time.monotonic()
    progress(f"building Flux {wanted.version}; this takes minutes, once")
    for left in cache.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    tools = control_plane_cache()
    tools.mkdir(parents=True, exist_ok=True)
    (cache / "src").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=cache) as name:
        folder = Path(name)
        go = get_go(ANY_GO, tools, folder, progress)
        _keep(go, go.module(FLUX2, f"v{wanted.version}", folder), "manifests", cache / "src" / "flux2", folder)
        for controller, version in wanted.controllers.items():
            module = go.module(wanted.module(controller), version, folder)
            _keep(go, module, "config", cache / "src" / controller, folder)
        for controller, version in wanted.programs.items():
            module = go.module(wanted.module(controller), version, folder)
            if not (cache / controller).exists():
                _program(module, controller, module.path, cache, folder, tools, progress)
            if controller == SOPS_IN and not (cache / "sops").exists():
                _program(module, "sops", SOPS, cache, folder, tools, progress)
    progress(f"built in {elapsed(start)}, kept in {cache}")


def _program(
    module: Module, name: str, package: str, cache: Path, folder: Path, tools: Path, progress: Progress
) -> None:
    """Compile a main package with the modules that I(module) asks for."""
    start = time.monotonic()
    about = name if package == module.path else f"{name}, of {module.path.rpartition('/')[2]}"
    progress(f"{about} {module.version}: compiling")
    go = get_go(go_directive(module), tools, folder, progress)
    write_go_mod(folder, module, dict(_REPLACED.findall(module.go_mod)))
    go.build(package, folder / name, [f"-X main.VERSION={module.version}"], cwd=folder, progress=progress)
    (folder / name).rename(cache / name)
    progress(f"{about} {module.version}: done in {elapsed(start)}")


def _keep(go: Go, module: Module, part: str, target: Path, scratch: Path) -> None:
    """Copy the manifests out of the module cache, which others may clean."""
    if target.exists():
        return
    answer = go.run("mod", "download", "-json", f"{module.path}@{module.version}", cwd=scratch)
    source = re.search(r'"Dir": "([^"]+)"', answer)
    assert source
    new = scratch / "source"
    shutil.copytree(Path(source[1]) / part, new, copy_function=shutil.copyfile)
    new.chmod(0o755)
    new.rename(target)


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock that ends with the process, so that two runs do not build at once."""
    with path.open("w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another run builds Flux, waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that some tests need besides a control plane, built once from their Go modules: etcd's tools, and age."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .binaries import _locked, cache_root, say
from .build import SCRATCH
from .golang import get_go, go_directive, write_go_mod
from .versions import release

AGE = "1.2.1"


def tool(name: str, line: str | None = None) -> Path:
    """Return etcdctl or etcdutl of a release line's etcd, or age or age-keygen: those of the machine, else built."""
    if name.startswith("age"):
        if found := shutil.which(name):
            return Path(found)
        path, version, package, cache = "filippo.io/age", AGE, f"filippo.io/age/cmd/{name}", cache_root() / f"age-{AGE}"
    else:
        wanted = release(line)
        path = package = f"go.etcd.io/etcd/{name}/v3"
        version, cache = wanted.etcd, cache_root() / wanted.kubernetes
    program = cache / name
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache_root() / ".lock", say):
            if not program.exists():
                _build(path, version, package, program)
    return program


def _build(path: str, version: str, package: str, program: Path) -> None:
    say(f"building {program.name} {version}")
    tools = program.parent.parent
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=program.parent) as name:
        folder = Path(name)
        module = get_go("1.20", tools, folder, say).module(path, f"v{version}", folder)
        go = get_go(go_directive(module), tools, folder, say)
        write_go_mod(folder, module, {})
        go.build(package, folder / program.name, [], cwd=folder, progress=say)
        (folder / program.name).rename(program)

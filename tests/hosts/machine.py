# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this rig does to the machine that it runs on: its programs, and global settings that come back as they were.

Hosts are containers, so C(vm.*), C(kernel.*) and C(fs.*) settings that a role writes inside them are those of the
machine. They are noted before the first host starts and written back after the last one has gone, also by the next run
when this one was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = {
    "podman": "podman",
    "crun": "crun",
    "mmdebstrap": "mmdebstrap",
    "/usr/lib/podman/netavark": "netavark",
    "/usr/lib/podman/aardvark-dns": "aardvark-dns",
    "iptables": "iptables",
    "ssh": "openssh-client",
}
_SYSCTL = Path("/proc/sys")
_TREES = ("vm", "kernel", "fs")
_KEYS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")
#: Counters, one-shot switches, and values that other programs move all the time.
_VOLATILE = ("kernel/random", "kernel/ns_last_pid", "kernel/pty/nr", "fs/binfmt_misc", "vm/drop_caches", "vm/compact")
_WATCHERS = _SYSCTL / "fs/inotify/max_user_instances"
_ENOUGH = 4096
_NAMESPACES = Path("/run/netns")
_CGROUPS = Path("/sys/fs/cgroup")
_CONTROLLERS = ("hugetlb", "perf_event", "net_cls", "net_prio")


class RigError(Exception):
    """The rig cannot be made; the text says why and what to do."""


def say(text: str) -> None:
    """Print one progress line, to standard error."""
    print(f"hosts: {text}", file=sys.stderr, flush=True)


def cache_root() -> Path:
    """Return the project's cache: below SP_CACHE, else below the user's cache."""
    if chosen := os.environ.get("SP_CACHE"):
        return Path(chosen).expanduser().absolute() / "hosts"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "k8s-self-provisioning" / "hosts"


def install_programs(packages: dict[str, str] | None = None) -> None:
    """Install what is missing of I(packages), the rig's own if none are given, with apt-get."""
    wanted = (packages or PACKAGES).items()
    missing = sorted(package for program, package in wanted if not shutil.which(program))
    if os.geteuid() != 0:
        raise RigError("test hosts need root: they have addresses and cgroups of their own. Run this as root.")
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise RigError(
            f"missing: {', '.join(missing)}. On Debian and Ubuntu they are installed here; on another system, install "
            "these packages yourself."
        )
    say(f"installing {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *missing]
    for command in (["apt-get", "update", "-qq"], install):
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise RigError(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")


def prepare(note: Path) -> None:
    """Note the machine's settings in I(note), unless an earlier run already has, and make what the hosts need."""
    if not note.exists():
        _note(note)
    # Every systemd takes a dozen or two, and they are counted together for all hosts.
    if int(_WATCHERS.read_text(encoding="ascii")) < _ENOUGH:
        _WATCHERS.write_text(str(_ENOUGH), encoding="ascii")


def _note(note: Path) -> None:
    mounts = [*_missing_cgroups(), *([_NAMESPACES] if not _NAMESPACES.is_mount() else [])]
    temporary = note.with_suffix(".new")
    content = {"settings": _settings(), "mounts": [str(path) for path in mounts]}
    temporary.write_text(json.dumps(content, indent=0), encoding="utf-8")
    temporary.replace(note)
    for folder in mounts:
        if folder.parent == _CGROUPS:
            folder.mkdir()
            subprocess.run(["mount", "-t", "cgroup", "-o", folder.name, "cgroup", str(folder)], check=True)


def restore(note: Path) -> None:
    """Bring the machine back to what I(note) says, then remove the note."""
    if not note.exists():
        return
    now, wanted = _settings(), json.loads(note.read_text(encoding="utf-8"))
    changed = {key: value for key, value in wanted["settings"].items() if now.get(key) != value}
    for key, value in changed.items():
        with contextlib.suppress(OSError):
            (_SYSCTL / key).write_text(value, encoding="utf-8")
    for folder in map(Path, wanted["mounts"]):
        if folder.is_mount() and not any(folder.glob("netns-*")):
            subprocess.run(["umount", str(folder)], capture_output=True, check=False)
        with contextlib.suppress(OSError):
            folder.rmdir()
    if changed:
        say(f"restored {', '.join(sorted(key.replace('/', '.') for key in changed))}")
    note.unlink()


def _missing_cgroups() -> list[Path]:
    """The controllers that crun asks for where cgroups of version 1 and 2 are mixed."""
    if not (_CGROUPS / "unified").is_dir():
        return []
    known = {line.split("\t")[0] for line in Path("/proc/cgroups").read_text(encoding="ascii").splitlines()[1:]}
    return [_CGROUPS / name for name in _CONTROLLERS if name in known and not (_CGROUPS / name).exists()]


def _settings() -> dict[str, str]:
    found = {}
    paths = [_SYSCTL / key for key in _KEYS]
    for tree in _TREES:
        paths += [path for path in (_SYSCTL / tree).rglob("*") if path.is_file()]
    for path in paths:
        key = str(path.relative_to(_SYSCTL))
        if key.startswith(_VOLATILE) or path.stat().st_mode & 0o600 != 0o600:
            continue
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found[key] = path.read_text(encoding="utf-8")
    return found

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of the hosts: Debian with systemd, Python and an SSH server, and nothing that a role would install.

It is made from Debian packages by mmdebstrap, or, with SP_HOSTS_IMAGE=docker.io/library/ubuntu:24.04 or another image
of Debian or Ubuntu, on top of that one. The tag is a digest of everything that goes in, so that it is made once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import tempfile
import time
from pathlib import Path

from .engine import podman
from .machine import RigError, cache_root, say

VARIABLE = "SP_HOSTS_IMAGE"
SUITE = "bookworm"
PACKAGES = "ca-certificates dbus iproute2 iputils-ping kmod openssh-server procps python3 python3-apt sudo systemd-sysv"
SETUP = Path(__file__).with_name("setup.sh")
_MIRROR = "http://deb.debian.org"
SOURCES = f"""\
deb {_MIRROR}/debian {SUITE} main
deb {_MIRROR}/debian {SUITE}-updates main
deb {_MIRROR}/debian-security {SUITE}-security main
"""
_CONTAINERFILE = f"""\
FROM {{base}}
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update -qq && apt-get install --yes -qq --no-install-recommends {PACKAGES}
COPY setup.sh /root/setup.sh
RUN sh /root/setup.sh && rm /root/setup.sh
ENV DEBIAN_FRONTEND=
CMD ["/sbin/init"]
STOPSIGNAL SIGRTMIN+3
"""


def image() -> str:
    """Return the name of the image, which is made when it is not there yet."""
    base = os.environ.get(VARIABLE, "")
    content = "\0".join((base, SUITE, PACKAGES, SOURCES, _CONTAINERFILE, SETUP.read_text(encoding="utf-8")))
    name = f"localhost/self-provisioning-host:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    cache_root().mkdir(parents=True, exist_ok=True)
    with (cache_root() / "image.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not podman("image", "ls", "--quiet", name):
            start = time.monotonic()
            say(f"making the image of the hosts {f'from {base}' if base else f'from packages of Debian {SUITE}'}")
            with tempfile.TemporaryDirectory(dir=cache_root()) as folder:
                (_derive if base else _bootstrap)(Path(folder), base, name)
            podman("image", "prune", "--all", "--force", "--filter", "until=336h", check=False)
            say(f"made {name} in {time.monotonic() - start:.0f} s")
    return name


def _bootstrap(folder: Path, base: str, name: str) -> None:
    del base
    archive, sources = folder / "root.tar", folder / "sources.list"
    sources.write_text(SOURCES, encoding="utf-8")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES.replace(' ', ',')}"]
    command += [f'--customize-hook=chroot "$1" sh < {SETUP}', SUITE, str(archive), str(sources)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RigError(f"{' '.join(command)} failed:\n{result.stderr[-4000:]}")
    changes = ['CMD ["/sbin/init"]', "STOPSIGNAL SIGRTMIN+3", "ENV container=podman"]
    podman("import", "--quiet", *(part for change in changes for part in ("--change", change)), str(archive), name)


def _derive(folder: Path, base: str, name: str) -> None:
    (folder / "Containerfile").write_text(_CONTAINERFILE.format(base=base), encoding="utf-8")
    (folder / "setup.sh").write_text(SETUP.read_text(encoding="utf-8"), encoding="utf-8")
    podman("build", "--quiet", "--cap-add=ALL", "--tag", name, str(folder))

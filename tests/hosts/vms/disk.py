# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of virtual machines: Debian with its kernel and boot loader, as an installer leaves it.

Made from packages once, and named by a digest of everything that goes in. A machine never writes to its disk: QEMU
keeps what changes apart, for as long as the machine lives.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.hosts.image import PACKAGES, SOURCES, SUITE
from tests.hosts.machine import RigError, cache_root, say

#: What a machine has and a container has not.
HARDWARE = "e2fsprogs grub-pc initramfs-tools linux-image-cloud-amd64 udev"
SETUP = Path(__file__).with_name("setup.sh")
PROGRAMS = {"mmdebstrap": "mmdebstrap", "sfdisk": "fdisk", "mkfs.ext4": "e2fsprogs"}
#: Sparse: the file takes half a GiB.
_GIBIBYTES = 30
_START = 1 << 20
_SECTOR = 512
#: Of the master boot record, the boot loader has what is before the table of partitions.
_BOOT_CODE = 440


def disk(packages: str = "") -> Path:
    """Return a disk with I(packages) besides, which is made when it is not there yet."""
    content = "\0".join((PACKAGES, HARDWARE, packages, SOURCES, SETUP.read_text(encoding="utf-8"), str(_GIBIBYTES)))
    folder = cache_root() / "vms"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.raw"
    with (folder / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            start = time.monotonic()
            say(f"making a disk from packages of Debian {SUITE}{f' with {packages}' if packages else ''}")
            with tempfile.TemporaryDirectory(dir=folder) as work:
                _make(Path(work), f"{PACKAGES} {HARDWARE} {packages}".split(), path)
            say(f"made {path} in {time.monotonic() - start:.0f} s")
    os.utime(path)
    return path


def _make(work: Path, packages: list[str], path: Path) -> None:
    root, image = work / "root", work / "disk.raw"
    (work / "sources.list").write_text(SOURCES, encoding="utf-8")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}"]
    command += [f'--customize-hook=chroot "$1" sh < {SETUP}', SUITE, str(root), str(work / "sources.list")]
    _run(command)
    loader = {name: (root / "boot/grub" / name).read_bytes() for name in ("boot.img", "core.img")}
    if len(loader["core.img"]) > _START - _SECTOR:
        raise RigError("the boot loader does not fit before the first partition")
    with image.open("wb") as file:
        file.truncate(_GIBIBYTES << 30)
    _run(["sfdisk", "--quiet", str(image)], f"label: dos\nstart={_START // _SECTOR}, type=83, bootable\n")
    kibibytes = (_GIBIBYTES << 20) - (_START >> 10)
    _run(["mkfs.ext4", "-q", "-F", "-d", str(root), "-E", f"offset={_START}", str(image), f"{kibibytes}k"])
    with image.open("r+b") as file:
        file.write(loader["boot.img"][:_BOOT_CODE])
        file.seek(_SECTOR)
        file.write(loader["core.img"])
    image.replace(path)
    shutil.rmtree(root)


def _run(command: list[str], given: str | None = None) -> None:
    result = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RigError(f"{' '.join(command)} failed ({result.returncode}):\n{result.stderr[-4000:]}")

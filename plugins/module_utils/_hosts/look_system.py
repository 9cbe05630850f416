# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is and what state its system is in."""

from __future__ import annotations

import grp
import os
import platform
import pwd
import socket
import time
import typing as t

from . import read

Seen = dict[str, t.Any]

_CONTAINERS = {"podman", "docker", "lxc", "lxc-libvirt", "systemd-nspawn", "openvz", "rkt", "wsl", "container-other"}
_NVIDIA, _AMD, _INTEL = "0x10de", "0x1002", "0x8086"
_VENDORS = {_NVIDIA: "nvidia", _AMD: "amd", _INTEL: "intel"}
_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def look(user: str, packages: list[str], sysctls: dict[str, t.Any], modules: list[str]) -> Seen:
    """Everything about the system itself."""
    release = read.pairs(read.text("/etc/os-release"))
    virtualization = read.run("systemd-detect-virt") or "unknown"
    return {
        "uid": os.geteuid(),
        "user_groups": _groups_of(user),
        "os": {
            "id": release.get("ID", ""),
            "version": release.get("VERSION_ID", ""),
            "codename": release.get("VERSION_CODENAME", ""),
            "name": release.get("PRETTY_NAME", ""),
        },
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": _memory(),
        "virtualization": virtualization,
        "container": virtualization in _CONTAINERS,
        "kvm": os.path.exists("/dev/kvm"),
        "cgroup": 2 if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else 1,
        "hostname": socket.gethostname(),
        "machine_id": read.text("/etc/machine-id"),
        "product_uuid": read.text("/sys/class/dmi/id/product_uuid").lower(),
        "timezone": _timezone(),
        "time": time.time(),
        "synchronized": read.run("timedatectl", "show", "--property=NTPSynchronized", "--value"),
        "systemd": _systemd(),
        "swap": [line.split()[0] for line in read.text("/proc/swaps").splitlines()[1:]],
        "sysctl_drift": sorted(key for key, value in sysctls.items() if _differs(key, value)),
        "modules": {name: _has_module(name) for name in modules},
        "packages": _packages(packages),
        "broken_packages": sorted(read.run("dpkg", "--audit").splitlines())[:5],
        "cloud_init": _cloud_init(),
        "reboot_required": os.path.exists("/run/reboot-required"),
        "reboot_packages": sorted(set(read.text("/run/reboot-required.pkgs").split())),
        "fstab": os.path.exists("/etc/fstab"),
        "proxy_set": bool(read.text("/etc/apt/apt.conf.d/90host-baseline-proxy")),
        "gpus": _gpus(),
        "secure_boot": _secure_boot(),
        "firewalls": _firewalls(),
        "firewall_loaded": bool(read.run("nft", "list", "table", "inet", "host_baseline")),
    }


def _groups_of(user: str) -> list[str]:
    try:
        entry = pwd.getpwnam(user)
        return sorted(grp.getgrgid(number).gr_name for number in os.getgrouplist(user, entry.pw_gid))
    except KeyError:
        return []


def passwords(users: list[str]) -> dict[str, str]:
    """Of those accounts that exist: whether their password is C(set), C(locked) or C(none)."""
    rows = (line.split(":") for line in read.text("/etc/shadow").splitlines())
    hashes = {row[0]: row[1] for row in rows if len(row) > 1 and row[0] in users}
    return {name: _password(hashed) for name, hashed in hashes.items()}


def _password(hashed: str) -> str:
    # "!" and "*" are no hash of anything; a "!" before a hash is a lock
    if hashed.strip("!*") == "":
        return "none"
    return "locked" if hashed.startswith("!") else "set"


def _memory() -> int:
    for line in read.text("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return 0


def _differs(key: str, value: t.Any) -> bool:
    now = read.text(f"/proc/sys/{key.lstrip('-').replace('.', '/')}")
    return now != "" and now.split() != str(value).split()


def _timezone() -> str:
    target = os.path.realpath("/etc/localtime")
    return target.partition("/zoneinfo/")[2] or read.text("/etc/timezone")


def _systemd() -> Seen:
    failed = [line.split()[0] for line in read.run("systemctl", "--failed", "--plain", "--no-legend").splitlines()]
    return {"state": read.run("systemctl", "is-system-running") or "offline", "failed": failed}


def _has_module(name: str) -> bool:
    """Whether the kernel has a module, loaded or built in."""
    if os.path.isdir(f"/sys/module/{name}"):
        return True
    if name == "br_netfilter":
        return os.path.isdir("/proc/sys/net/bridge")
    kinds = {line.split("\t")[-1] for line in read.text("/proc/filesystems").splitlines()}
    builtin = read.text(f"/lib/modules/{platform.release()}/modules.builtin")
    return name in kinds or f"/{name}.ko" in builtin.replace("-", "_")


def _packages(wanted: list[str]) -> dict[str, str]:
    """Versions of the packages that are installed."""
    if not wanted:
        return {}
    shown = read.run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package} ${Version}\n", *wanted)
    rows = [line.split(" ", 2) for line in shown.splitlines()]
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] == "installed"}


def _cloud_init() -> str:
    """C(running) while cloud-init still works on the host, C(done) or nothing."""
    if not os.path.isdir("/run/cloud-init"):
        return ""
    return "done" if os.path.exists("/run/cloud-init/result.json") else "running"


def _gpus() -> list[Seen]:
    found = []
    for address in read.names("/sys/bus/pci/devices"):
        device = f"/sys/bus/pci/devices/{address}"
        kind = read.text(f"{device}/class")
        # Display controllers (03xx) and processing accelerators (12xx).
        if not kind.startswith(("0x03", "0x12")):
            continue
        vendor = read.text(f"{device}/vendor")
        driver = os.path.basename(os.path.realpath(f"{device}/driver")) if os.path.exists(f"{device}/driver") else ""
        entry = {"address": address, "vendor": _VENDORS.get(vendor, vendor), "driver": driver}
        found.append({**entry, "accelerator": vendor == _NVIDIA or kind.startswith("0x12")})
    return found


def _secure_boot() -> bool:
    try:
        with open(_SECURE_BOOT, "rb") as handle:
            return handle.read()[-1:] == b"\x01"
    except OSError:
        return False


def _firewalls() -> list[str]:
    """Other firewalls that hold."""
    found = []
    if read.pairs(read.text("/etc/ufw/ufw.conf")).get("ENABLED", "no").lower() == "yes":
        found.append("ufw")
    if read.run("systemctl", "is-active", "firewalld") == "active":
        found.append("firewalld")
    return found

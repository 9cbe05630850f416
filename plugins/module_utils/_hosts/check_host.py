# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges one host by what was seen on it."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping

from .check_network import network
from .finding import Said, number

Seen = Mapping[str, t.Any]

#: Versions that the role knows, by distribution.
SUPPORTED = {"ubuntu": ("22.04", "24.04"), "debian": ("12",)}
ARCHITECTURES = ("x86_64", "aarch64")
#: As Kubespray and the API server ask for.
_HOSTNAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_FREE_INODES = 5


def check(seen: Seen, expect: Seen) -> Iterator[Said]:
    """What is wrong with a host by itself."""
    yield from _system(seen, expect)
    yield from _accounts(seen, expect)
    yield from _size(seen, expect)
    yield from _disks(seen, expect)
    yield from _state(seen, expect)
    yield from _hardware(seen, expect)
    yield from _kubernetes(seen, expect)
    yield from network(seen, expect)


def _system(seen: Seen, expect: Seen) -> Iterator[Said]:
    if seen["uid"] != 0:
        yield "root", f"is looked at as user {seen['uid']}, not as root.", "Run with become: true, and allow sudo."
    release = seen["os"]
    if release["version"] not in SUPPORTED.get(release["id"], ()):
        known = ", ".join(f"{name.capitalize()} {'/'.join(versions)}" for name, versions in SUPPORTED.items())
        yield "os", f"runs {release['name'] or 'an unknown system'}.", f"Install one of {known}."
    if seen["architecture"] not in ARCHITECTURES:
        yield "architecture", f"is a {seen['architecture']}.", f"Use one of {', '.join(ARCHITECTURES)}."
    if not _HOSTNAME.fullmatch(expect["name"]):
        yield (
            "hostname",
            f"the name {expect['name']!r} cannot be a node's name.",
            "Rename it in the inventory: lower-case letters, digits, dashes and dots.",
        )
    if len(seen["machine_id"]) != 32:
        yield "machine_id", "has no machine-id.", "Run systemd-machine-id-setup on it and reboot."
    if seen["container"]:
        yield (
            "container",
            f"is a container ({seen['virtualization']}), with the kernel of another machine.",
            "Use a physical or a fully virtual machine.",
        )
    if seen["cgroup"] != 2:
        yield (
            "cgroup",
            "uses cgroups of version 1, which Kubernetes 1.35 refuses.",
            "Remove systemd.unified_cgroup_hierarchy=0 from the kernel's command line and reboot.",
        )
    if expect.get("root_login_forbidden") and expect.get("user") == "root":
        yield (
            "login",
            "is reached as root, and root's login is about to be forbidden.",
            "Set ansible_user to an account with sudo and a key, or host_baseline_ssh_root_login to prohibit-password.",
        )
    if expect.get("password_login_forbidden") and expect.get("uses_password"):
        yield (
            "login",
            "is reached with a password, and logins with passwords are about to be forbidden.",
            "Put a key on it (host_baseline_users, or ssh-copy-id), and remove ansible_password.",
        )

    allowed = expect.get("login_groups", [])
    if allowed and expect.get("user") and not set(allowed) & set(seen["user_groups"]):
        yield (
            "login",
            f"is reached as {expect['user']}, who is in none of the groups that may log in: {', '.join(allowed)}.",
            "Add the account to one of host_baseline_ssh_allow_groups, or the other way round.",
        )


def _accounts(seen: Seen, expect: Seen) -> Iterator[Said]:
    for name in expect.get("sudo_with_password", ()):
        state = seen["passwords"].get(name, "none")
        if state == "locked":
            yield (
                "sudo",
                f"{name} is to act as root with a password, which is locked.",
                f"Unlock it (passwd --unlock {name}), or set sudo to without_password in host_baseline_users.",
            )
        elif state == "none" and name not in expect.get("passwords", ()):
            yield (
                "sudo",
                f"{name} is to act as root with a password, and has none.",
                "Add password, a hash, in host_baseline_users, or set sudo to without_password there.",
            )


def _size(seen: Seen, expect: Seen) -> Iterator[Said]:
    for role, least in expect.get("minimums", {}).items():
        for key, unit in (("cores", "cores"), ("memory_mib", "MiB of memory")):
            if key in least and seen[key] < number(least[key]):
                yield (
                    key.removesuffix("_mib"),
                    f"has {seen[key]} {unit}; a host of {role} needs {least[key]}.",
                    f"Add {unit.split()[-1]}, take the host out of {role}, or lower host_baseline_minimums.",
                )


def _disks(seen: Seen, expect: Seen) -> Iterator[Said]:
    for path, least in expect.get("disk_minimums", {}).items():
        disk = seen["filesystems"].get(path, {})
        if "error" in disk:
            yield "disk", f"{path} cannot be looked at: {disk['error']}.", "Repair the file system or its mount."
            continue
        if disk["free_mib"] < number(least):
            place = disk["mount"] or disk["place"]
            yield (
                "disk",
                f"has {disk['free_mib']} MiB free for {path} (on {place}); {least} are needed.",
                f"Free space, mount a larger disk at {path}, or lower host_baseline_disk_minimums.",
            )
        if disk["free_inodes"] < _FREE_INODES:
            yield (
                "disk",
                f"has {disk['free_inodes']} % of its inodes free for {path}.",
                "Remove small files, or make the file system again with more inodes.",
            )
        bad = sorted({"ro", "noexec"} & set(disk["options"]))
        if bad:
            yield (
                "mount_options",
                f"{disk['mount']}, which holds {path}, is mounted {' and '.join(bad)}.",
                "Mend /etc/fstab (and the disk, when the kernel made it read-only), then remount.",
            )
    limit, took = expect.get("etcd_sync_ms"), seen.get("etcd_sync_ms")
    if number(limit) and took is not None and took > number(limit):
        yield (
            "etcd_disk",
            f"takes {took} ms (99th percentile) to write for etcd; {limit} ms are the limit.",
            "Put /var/lib/etcd on an SSD of its own, away from busy disks and network storage.",
        )


def _state(seen: Seen, expect: Seen) -> Iterator[Said]:
    if seen["broken_packages"]:
        yield (
            "packages",
            f"has packages that are half installed ({seen['broken_packages'][0]}).",
            "Run dpkg --configure -a, then apt-get --fix-broken install.",
        )
    if seen["cloud_init"] == "running":
        yield "cloud_init", "is still being set up by cloud-init.", "Wait: cloud-init status --wait."
    if seen["systemd"]["state"] not in ("running", "degraded", "starting"):
        yield "systemd", f"systemd is {seen['systemd']['state']}.", "Boot the host with systemd as its init."
    if seen["systemd"]["failed"]:
        failed = ", ".join(seen["systemd"]["failed"][:5])
        yield "systemd", f"has units that failed: {failed}.", "See journalctl -u <unit>; systemctl reset-failed."
    if seen["firewalls"] and expect.get("firewall"):
        yield (
            "firewall",
            f"has another firewall: {', '.join(seen['firewalls'])}. It is switched off for ours.",
            "Move its rules to host_baseline_firewall_rules, or set host_baseline_firewall to false.",
        )
    skew = clock_skew(seen["time"], expect)
    limit = number(expect.get("clock_skew"))
    if limit and abs(skew) > limit:
        direction = "ahead of" if skew > 0 else "behind"
        yield (
            "clock",
            f"its clock is {abs(skew):.0f} s {direction} the controller's; certificates and etcd need agreement.",
            "Set it right (chronyc makestep, or timedatectl set-time), and check that its time servers answer.",
        )
    if seen["reboot_required"]:
        why = f" for {', '.join(seen['reboot_packages'][:5])}" if seen["reboot_packages"] else ""
        yield (
            "reboot",
            f"waits for a reboot{why}.",
            "The playbook hosts reboots it, one host at a time, unless it runs pods, a database or etcd.",
        )


def clock_skew(time: float, expect: Seen) -> float:
    """How far a clock is outside of the time in which the controller asked for it and got the answer."""
    before = number(expect.get("controller_time"))
    after = number(expect.get("controller_time_after")) or before
    if not before or before <= time <= after:
        return 0
    return float(time - (after if time > after else before))


def _hardware(seen: Seen, expect: Seen) -> Iterator[Said]:
    gpus = [gpu for gpu in seen["gpus"] if gpu["accelerator"]]
    wanted = expect.get("gpu", "none")
    if wanted != "none" and not any(gpu["vendor"] == wanted for gpu in gpus):
        yield (
            "gpu",
            f"has no {wanted} GPU, although host_baseline_gpu says so.",
            "Check that it is plugged in and passed through (lspci -nn), or set host_baseline_gpu to none.",
        )
    if wanted == "none" and gpus:
        yield (
            "gpu",
            f"has {len(gpus)} accelerator(s) of {gpus[0]['vendor']} that nothing is prepared for.",
            "Set host_baseline_gpu, or the check gpu to ignore in host_baseline_preflight_severity.",
        )
    if wanted != "none" and seen["secure_boot"]:
        yield (
            "secure_boot",
            "boots securely, so the kernel loads only drivers that are signed.",
            "Install a signed driver (linux-modules-nvidia-*), enrol its key, or switch Secure Boot off.",
        )
    if expect.get("needs_kvm") and not seen["kvm"]:
        yield (
            "kvm",
            "has no /dev/kvm, which virtual machines on this cluster need.",
            "Switch virtualisation on in the firmware, or nested virtualisation on in its hypervisor.",
        )
    if seen["san"]["paths"] and not seen["san"]["multipath_active"] and "multipath" not in expect.get("storage", []):
        wwid, disks = min(seen["san"]["paths"].items())
        yield (
            "multipath",
            f"sees a disk over several paths ({', '.join(disks)} are all {wwid}) and does not put them together.",
            "Add multipath to host_baseline_storage_clients; writing to both paths destroys data.",
        )


def _kubernetes(seen: Seen, expect: Seen) -> Iterator[Said]:
    found = seen["kubernetes"]
    owner = found["marker"].get("cluster", "")
    if owner and owner != expect.get("cluster", ""):
        yield (
            "leftovers",
            f"belongs to {owner}.",
            "Take it out of that cluster (playbook clusters, remove node), or out of this one in the inventory.",
        )
    elif not owner:
        for kind, paths in found["leftovers"].items():
            yield (
                "leftovers",
                f"has remains of {kind}: {', '.join(paths[:3])}.",
                "Install the host afresh, or run that product's uninstaller (kubeadm reset, k3s-uninstall.sh).",
            )
        if not found["leftovers"]:
            taken = {
                entry["port"]: entry["process"]
                for entry in seen["listening"]
                if entry["port"] in expect.get("ports", []) and not entry["loopback"]
            }
            for port, process in sorted(taken.items()):
                yield (
                    "ports",
                    f"{process or 'something'} listens on port {port}, which Kubernetes needs.",
                    f"Stop and remove it, or move it to another port: ss -ltnp 'sport = :{port}'.",
                )

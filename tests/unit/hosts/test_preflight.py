# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that the preflight knows, on hosts that are otherwise well: found, named, and with a way to mend it."""

from __future__ import annotations

import copy
import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.check_fleet import preflight
from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.finding import CHECKS, Finding, lines

Host = dict[str, t.Any]
Fleet = dict[str, Host]
NOW = 1_800_000_000.0


def host(number: int) -> Host:
    """A host that has nothing wrong with it."""
    address = f"10.20.0.{10 + number}"
    card = {
        "name": "eno1",
        "mac": f"52:54:00:00:00:0{number}",
        "mtu": 1500,
        "up": True,
        "addresses": [f"{address}/24"],
        "virtual": False,
        "master": "",
    }
    loopback = {**card, "name": "lo", "mac": "", "mtu": 65536, "addresses": ["127.0.0.1/8", "::1/128"], "virtual": True}
    disk = {
        "place": "/var/lib",
        "free_mib": 100_000,
        "free_inodes": 90,
        "mount": "/",
        "type": "ext4",
        "options": ["rw", "relatime"],
    }
    seen = {
        "uid": 0,
        "user_groups": ["ansible", "sudo"],
        "os": {"id": "ubuntu", "version": "24.04", "codename": "noble", "name": "Ubuntu 24.04.1 LTS"},
        "kernel": "6.8.0-48-generic",
        "architecture": "x86_64",
        "cores": 8,
        "memory_mib": 32_000,
        "virtualization": "none",
        "container": False,
        "kvm": True,
        "cgroup": 2,
        "hostname": f"node{number}",
        "machine_id": f"{number:032x}",
        "product_uuid": f"4c4c4544-0000-0000-0000-00000000000{number}",
        "time": NOW + 1,
        "systemd": {"state": "running", "failed": []},
        "broken_packages": [],
        "cloud_init": "done",
        "reboot_required": False,
        "reboot_packages": [],
        "gpus": [{"address": "0000:00:02.0", "vendor": "intel", "driver": "i915", "accelerator": False}],
        "secure_boot": False,
        "firewalls": [],
        "interfaces": [loopback, card],
        "default": {"interface": "eno1", "gateway": "10.20.0.1"},
        "routes": [{"network": "10.20.0.0/24", "interface": "eno1", "protocol": "kernel"}],
        "bonds": {},
        "nameservers": ["10.20.0.2"],
        "names": {"registry.example.edu": ["10.20.3.4"]},
        "passwords": {"mei": "set"},
        "peers": {"other": {"address": "10.20.0.99", "error": ""}},
        "urls": {"http://mirror.example.edu": ""},
        "listening": [{"port": 22, "loopback": False, "process": "sshd"}],
        "filesystems": {"/var/lib/containerd": disk},
        "etcd_sync_ms": 2.1,
        "kubernetes": {"marker": {}, "leftovers": {}, "running": False},
        "initiator": f"iqn.2004-10.com.ubuntu:01:{number}",
        "san": {"paths": {}, "multipath_active": False},
    }
    expect = {
        "name": f"node{number}",
        "cluster": "east",
        "address": address,
        "severity": {},
        "minimums": {"kube_node": {"cores": 2, "memory_mib": 1900}},
        "disk_minimums": {"/var/lib/containerd": 20_480},
        "etcd_sync_ms": 10,
        "clock_skew": 10,
        "controller_time": NOW,
        "mtu_minimum": 1400,
        "networks": {"pod_cidr": ["10.128.0.0/16", "fd00:128::/56"], "service_cidr": ["10.129.0.0/18"]},
        "ports": [6443, 10250],
        "gpu": "none",
        "needs_kvm": True,
        "storage": ["nfs"],
        "firewall": True,
        "dns_servers": [],
        "initiator_prefix": "",
        "user": "ansible",
        "sudo_with_password": ["mei"],
        "passwords": [],
        "uses_password": False,
        "root_login_forbidden": True,
        "password_login_forbidden": True,
    }
    return {"seen": seen, "expect": expect}


def fleet() -> Fleet:
    return {f"node{number}": host(number) for number in (1, 2, 3)}


def put(path: str, value: t.Any, *, on: tuple[int, ...] = (2,)) -> Callable[[Fleet], None]:
    """A fault: the value at a path is another one, on some of the hosts."""
    *folders, last = path.split("/")

    def do(hosts: Fleet) -> None:
        for number in on:
            place: t.Any = hosts[f"node{number}"]
            for key in folders:
                place = place[int(key) if isinstance(place, list) else key]
            place[int(last) if isinstance(place, list) else last] = value

    return do


def both(*faults: Callable[[Fleet], None]) -> Callable[[Fleet], None]:
    def do(hosts: Fleet) -> None:
        for fault in faults:
            fault(hosts)

    return do


def gone(hosts: Fleet) -> None:
    hosts["node2"] = {"unreachable": True, "msg": "Failed to connect to the host via ssh:\nNo route to host"}


NVIDIA = [{"address": "0000:65:00.0", "vendor": "nvidia", "driver": "", "accelerator": True}]
#: Fault, the check that finds it, what its text says, what the advice says, and the hosts that it is told for.
FAULTS: dict[str, tuple[Callable[[Fleet], None], str, str, str, str]] = {
    "unreachable": (gone, "reachable", "No route to host", "ansible_user", "node2"),
    "not root": (put("seen/uid", 1000), "root", "user 1000", "become: true", "node2"),
    "old system": (
        put("seen/os", {"id": "ubuntu", "version": "20.04", "codename": "focal", "name": "Ubuntu 20.04"}),
        *("os", "runs Ubuntu 20.04", "Ubuntu 22.04/24.04", "node2"),
    ),
    "other system": (
        put("seen/os", {"id": "rocky", "version": "9", "codename": "", "name": "Rocky Linux 9"}),
        *("os", "runs Rocky Linux 9", "Debian 12", "node2"),
    ),
    "32 bit": (put("seen/architecture", "i686"), "architecture", "is a i686", "x86_64", "node2"),
    "one core": (put("seen/cores", 1), "cores", "has 1 cores; a host of kube_node needs 2", "Add cores", "node2"),
    "little memory": (put("seen/memory_mib", 900), "memory", "has 900 MiB", "host_baseline_minimums", "node2"),
    "full disk": (
        put("seen/filesystems/~var~lib~containerd/free_mib", 300),
        *("disk", "has 300 MiB free for /var/lib/containerd (on /)", "mount a larger disk", "node2"),
    ),
    "no inodes": (
        put("seen/filesystems/~var~lib~containerd/free_inodes", 1),
        *("disk", "1 % of its inodes", "small files", "node2"),
    ),
    "broken disk": (
        put("seen/filesystems/~var~lib~containerd", {"place": "/var", "error": "Input/output error"}),
        *("disk", "Input/output error", "Repair", "node2"),
    ),
    "read-only disk": (
        put("seen/filesystems/~var~lib~containerd/options", ["ro", "relatime"]),
        *("mount_options", "is mounted ro", "/etc/fstab", "node2"),
    ),
    "noexec": (
        put("seen/filesystems/~var~lib~containerd/options", ["rw", "noexec"]),
        *("mount_options", "is mounted noexec", "/etc/fstab", "node2"),
    ),
    "slow disk": (put("seen/etcd_sync_ms", 41.5), "etcd_disk", "takes 41.5 ms", "SSD", "node2"),
    "bad name": (put("expect/name", "Node_2"), "hostname", "'Node_2' cannot be", "lower-case", "node2"),
    "same name": (put("expect/name", "node1"), "hostname_unique", "like node1", "its own name", "node1 node2"),
    "no machine-id": (put("seen/machine_id", ""), "machine_id", "no machine-id", "systemd-machine-id-setup", "node2"),
    "same machine-id": (
        put("seen/machine_id", f"{1:032x}"),
        *("machine_id_unique", "the machine-id", "copies of one image", "node1 node2"),
    ),
    "same product UUID": (
        put("seen/product_uuid", "4c4c4544-0000-0000-0000-000000000001"),
        *("product_uuid_unique", "like node1", "hypervisor", "node1 node2"),
    ),
    "same MAC": (
        put("seen/interfaces/1/mac", "52:54:00:00:00:01"),
        *("mac_unique", "52:54:00:00:00:01, like node1", "MAC address", "node1 node2"),
    ),
    "wrong address": (
        put("expect/address", "10.20.0.77"),
        *("address", "has no address 10.20.0.77", "ansible_host", "node2"),
    ),
    "name for an address": (put("expect/address", "node2.lan"), "address", "'node2.lan'", "Set ip", "node2"),
    "same address": (
        put("seen/interfaces/1/addresses", ["10.20.0.12/24", "10.20.0.11/24"]),
        *("address_unique", "the address 10.20.0.11", "takes turns", "node1 node2"),
    ),
    "same initiator": (
        put("seen/initiator", "iqn.2004-10.com.ubuntu:01:1"),
        *("initiator_unique", "iSCSI", "host_baseline_iscsi_initiator_prefix", "node1 node2"),
    ),
    "clock ahead": (put("seen/time", NOW + 4000), "clock", "4000 s ahead of", "chronyc", "node2"),
    "clock ahead of a late answer": (
        both(put("seen/time", NOW + 75), put("expect/controller_time_after", NOW + 60)),
        *("clock", "15 s ahead of", "chronyc", "node2"),
    ),
    "clock behind": (put("seen/time", NOW - 60), "clock", "60 s behind", "time servers", "node2"),
    "small MTU": (
        put("seen/interfaces/1/mtu", 1280, on=(1, 2, 3)),
        "mtu",
        "MTU of 1280",
        "switch",
        "node1 node2 node3",
    ),
    "other MTU": (put("seen/interfaces/1/mtu", 9000), "mtu", "9000; most of its cluster have 1500", "same", "node2"),
    "bond half down": (put("seen/bonds", {"bond0": ["eno2"]}), "links", "eno2", "cables", "node2"),
    "no name server": (put("seen/nameservers", []), "dns", "no name server", "host_baseline_dns_servers", "node2"),
    "name unknown": (
        put("seen/names", {"registry.example.edu": []}),
        *("names", "cannot resolve registry.example.edu (asked 10.20.0.2)", "resolvectl", "node2"),
    ),
    "peer lost": (
        put("seen/peers/other/error", "timed out"),
        *("peers", "other (10.20.0.99: timed out)", "VLANs", "node2"),
    ),
    "mirror lost": (
        put("seen/urls", {"http://mirror.example.edu": "timed out"}),
        *("urls", "http://mirror.example.edu: timed out", "host_baseline_proxy", "node2"),
    ),
    "route into pods": (
        put("seen/routes", [{"network": "10.128.64.0/20", "interface": "eno1", "protocol": "static"}]),
        *("networks", "10.128.64.0/20 over eno1, inside pod_cidr", "Choose another pod_cidr", "node2"),
    ),
    "route into the other family of pods": (
        put("seen/routes", [{"network": "fd00:128::/64", "interface": "eno1", "protocol": "static"}]),
        *("networks", "fd00:128::/64 over eno1, inside pod_cidr", "Choose another", "node2"),
    ),
    "no network": (
        put("expect/networks", {"pod_cidr": ["10.128.0.0/99"]}),
        *("networks", "'10.128.0.0/99', which is no network", "Mend pod_cidr", "node2"),
    ),
    "port taken": (
        put("seen/listening", [{"port": 6443, "loopback": False, "process": "nginx"}]),
        *("ports", "nginx listens on port 6443", "ss -ltnp", "node2"),
    ),
    "k3s": (
        put("seen/kubernetes/leftovers", {"k3s": ["/usr/local/bin/k3s"]}),
        *("leftovers", "remains of k3s: /usr/local/bin/k3s", "k3s-uninstall.sh", "node2"),
    ),
    "node of another cluster": (
        put("seen/kubernetes/marker", {"cluster": "west"}),
        *("leftovers", "belongs to west", "remove node", "node2"),
    ),
    "old cgroups": (put("seen/cgroup", 1), "cgroup", "version 1", "kernel's command line", "node2"),
    "container": (
        both(put("seen/container", True), put("seen/virtualization", "openvz")),
        *("container", "(openvz)", "virtual machine", "node2"),
    ),
    "no KVM": (put("seen/kvm", False), "kvm", "/dev/kvm", "firmware", "node2"),
    "GPU missing": (put("expect/gpu", "nvidia"), "gpu", "no nvidia GPU", "lspci", "node2"),
    "GPU forgotten": (put("seen/gpus", NVIDIA), "gpu", "1 accelerator(s) of nvidia", "host_baseline_gpu", "node2"),
    "secure boot": (
        both(put("seen/gpus", NVIDIA), put("expect/gpu", "nvidia"), put("seen/secure_boot", True)),
        *("secure_boot", "boots securely", "signed driver", "node2"),
    ),
    "SAN without multipath": (
        put("seen/san/paths", {"naa.6001": ["sda", "sdb"]}),
        *("multipath", "sda, sdb are all naa.6001", "host_baseline_storage_clients", "node2"),
    ),
    "half installed": (
        put("seen/broken_packages", ["The following packages are only half configured"]),
        *("packages", "half installed", "dpkg --configure -a", "node2"),
    ),
    "cloud-init at work": (put("seen/cloud_init", "running"), "cloud_init", "set up", "status --wait", "node2"),
    "no systemd": (put("seen/systemd/state", "offline"), "systemd", "systemd is offline", "init", "node2"),
    "failed units": (put("seen/systemd/failed", ["a.service"]), "systemd", "a.service", "journalctl", "node2"),
    "ufw": (put("seen/firewalls", ["ufw"]), "firewall", "ufw", "host_baseline_firewall_rules", "node2"),
    "root locks itself out": (put("expect/user", "root"), "login", "reached as root", "ansible_user", "node2"),
    "password locks itself out": (
        put("expect/uses_password", True),
        "login",
        "password",
        "host_baseline_users",
        "node2",
    ),
    "sudo without a password": (
        put("seen/passwords/mei", "none"),
        *("sudo", "mei is to act as root with a password, and has none", "host_baseline_users", "node2"),
    ),
    "sudo with a locked password": (
        both(put("seen/passwords/mei", "locked"), put("expect/passwords", ["mei"])),
        *("sudo", "which is locked", "passwd --unlock mei", "node2"),
    ),
    "sudo of an account that is not there": (
        put("seen/passwords", {}),
        *("sudo", "mei is to act as root with a password, and has none", "without_password", "node2"),
    ),
    "groups lock themselves out": (
        put("expect/login_groups", ["operators"]),
        *("login", "none of the groups that may log in: operators", "host_baseline_ssh_allow_groups", "node2"),
    ),
    "reboot due": (put("seen/reboot_required", True), "reboot", "waits for a reboot", "one host at a time", "node2"),
}


def broken(fault: Callable[[Fleet], None]) -> list[Finding]:
    hosts = fleet()
    for each in hosts.values():
        # Paths of the table cannot hold a slash.
        each["seen"]["filesystems"] = {
            path.replace("/", "~"): value for path, value in each["seen"]["filesystems"].items()
        }
    fault(hosts)
    for each in hosts.values():
        if "seen" in each:
            disks = each["seen"]["filesystems"].items()
            each["seen"]["filesystems"] = {path.replace("~", "/"): value for path, value in disks}
    return preflight(hosts)


def test_nothing_is_found_on_hosts_that_are_well() -> None:
    assert preflight(fleet()) == []


@pytest.mark.parametrize(("fault", "check", "what", "mend", "hosts"), FAULTS.values(), ids=FAULTS)
def test_fault(fault: Callable[[Fleet], None], check: str, what: str, mend: str, hosts: str) -> None:
    found = broken(fault)
    assert [each.host for each in found] == hosts.split(), [each.row() for each in found]
    for each in found:
        assert (each.check, each.severity) == (check, CHECKS[check])
        assert what.replace("like node1", "like") in each.what
        assert mend in each.mend
        assert each.what.endswith((".", "host")), "a sentence"
        assert each.mend.endswith((".", "'"))


def test_every_check_has_a_fault() -> None:
    assert {check for _fault, check, *_rest in FAULTS.values()} == set(CHECKS)


def test_all_faults_of_all_hosts_are_told_together() -> None:
    hosts = fleet()
    put("seen/cores", 1, on=(1,))(hosts)
    put("seen/memory_mib", 900, on=(3,))(hosts)
    put("seen/cgroup", 1, on=(3,))(hosts)
    gone(hosts)
    text = "\n".join(lines(preflight(hosts), len(hosts)))
    assert "PREFLIGHT: 3 ERRORS" in text
    assert "PREFLIGHT: 1 WARNING\n" in text
    for part in ("node1  has 1 cores", "node2  cannot be looked at", "node3  has 900 MiB", "→ Add memory"):
        assert part in text


@pytest.mark.parametrize(("wanted", "found"), [("ignore", []), ("warning", ["warning"]), ("error", ["error"])])
def test_the_organisation_says_what_matters(wanted: str, found: list[str]) -> None:
    hosts = fleet()
    both(put("seen/cgroup", 1), put("expect/severity", {"cgroup": wanted}))(hosts)
    assert [each.severity for each in preflight(hosts)] == found


def test_a_severity_that_does_not_exist_hides_nothing() -> None:
    hosts = fleet()
    both(put("seen/cgroup", 1), put("expect/severity", {"cgroup": "warn"}))(hosts)
    (found,) = preflight(hosts)
    assert found.severity == "error"
    assert found.mend.endswith("Its severity is set to 'warn', which is none of error, warning and ignore.")


NOT_FAULTS: dict[str, Callable[[Fleet], None]] = {
    "a host that took long to answer": both(put("seen/time", NOW + 40), put("expect/controller_time_after", NOW + 60)),
    "node of this cluster": both(
        put("seen/kubernetes", {"marker": {"cluster": "east"}, "leftovers": {"etcd": ["/var/lib/etcd/member"]}}),
        put("seen/listening", [{"port": 6443, "loopback": False, "process": "kube-apiserver"}]),
    ),
    "port of a local service": put("seen/listening", [{"port": 6443, "loopback": True, "process": "stunnel"}]),
    "MAC of a bond": put(
        "seen/interfaces",
        [{**host(2)["seen"]["interfaces"][1]}, {**host(2)["seen"]["interfaces"][1], "name": "bond0", "addresses": []}],
    ),
    "routes of the container network": put(
        "seen/routes", [{"network": "10.128.3.0/26", "interface": "eno1", "protocol": "bird"}]
    ),
    "initiators that are about to be named": both(
        put("seen/initiator", "iqn:same", on=(1, 2)), put("expect/initiator_prefix", "iqn.2026-01.edu", on=(1, 2))
    ),
    "no name server, but one is about to be set": both(
        put("seen/nameservers", []), put("seen/names", {}), put("expect/dns_servers", ["10.20.0.2"])
    ),
    "a password is about to be set": both(put("seen/passwords", {}), put("expect/passwords", ["mei"])),
    "a member of the groups that may log in": put("expect/login_groups", ["operators", "sudo"]),
    "multipath is about to be set up": both(
        put("seen/san/paths", {"naa.6001": ["sda", "sdb"]}), put("expect/storage", ["multipath"])
    ),
}


def test_numbers_may_be_text() -> None:
    """As templates give them before ansible-core 2.19."""

    def text(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {key: text(each) for key, each in value.items()}
        return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value

    hosts = fleet()
    both(put("expect/clock_skew", 10, on=(1, 2, 3)), put("seen/cores", 1), put("seen/time", NOW + 90))(hosts)
    for each in hosts.values():
        each["expect"] = {**text(each["expect"]), "etcd_sync_ms": "0"}
    assert [each.check for each in preflight(hosts)] == ["cores", "clock"]


def test_nothing_has_to_be_expected() -> None:
    """As host_info returns it, asked as in its example."""
    hosts = fleet()
    for each in hosts.values():
        each["expect"] = {}
    assert preflight(hosts) == []
    put("seen/machine_id", f"{1:032x}")(hosts)
    assert {each.check for each in preflight(hosts)} == {"machine_id_unique"}


@pytest.mark.parametrize("change", NOT_FAULTS.values(), ids=NOT_FAULTS)
def test_not_a_fault(change: Callable[[Fleet], None]) -> None:
    hosts = fleet()
    before = copy.deepcopy(hosts)
    change(hosts)
    assert hosts != before
    assert preflight(hosts) == []


CLOSED = "Shared connection to 10.20.0.11 closed."
FAILED = "MODULE FAILURE\nSee stdout/stderr for the exact error"


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({"unseen": "no route"}, "no route"),
        ({"msg": "Failed to connect to the host via ssh:\nNo route to host"}, "No route to host"),
        ({"msg": "Connection to 10.20.0.11 port 22 timed out"}, "Connection to 10.20.0.11 port 22 timed out"),
        (
            {
                "msg": FAILED,
                "module_stderr": CLOSED,
                "module_stdout": "Traceback (most recent):\n  a\nE: b\r\n",
            },
            "E: b",
        ),
        (
            {"msg": FAILED, "module_stderr": "sh: python3: not found\nNote: see elsewhere", "rc": 127},
            "sh: python3: not found",
        ),
        ({"msg": FAILED, "module_stderr": CLOSED, "rc": 1}, "its Python ended with 1"),
        ({}, "it did not answer"),
    ],
)
def test_why_a_host_cannot_be_looked_at(result: dict[str, t.Any], why: str) -> None:
    (found,) = preflight({"node1": result})
    assert (found.check, found.what) == ("reachable", f"cannot be looked at: {why}")

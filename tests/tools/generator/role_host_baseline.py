# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role host_baseline. Their defaults are read from its C(defaults/main.yml)."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from .role_types import Entry, Options, Role

_DEFAULTS = Path(__file__).resolve().parents[3] / "roles" / "host_baseline" / "defaults" / "main.yml"
_LISTS = {"elements": "str"}

_TEXTS: dict[str, tuple[str, str, dict[str, t.Any]]] = {
    "profile": (
        "str",
        "How much to harden. V(hardened) adds what can get in the way of people: stricter SSH, blocked kernel modules, "
        "a log of sudo, more audit rules.",
        {"choices": ["baseline", "hardened"]},
    ),
    "cluster": (
        "str",
        "The group of the host's cluster. By default the one of its groups that is named like a host of C(clusters), "
        "with C(_) for C(-).",
        {},
    ),
    "preflight_severity": (
        "dict",
        "What a check of the preflight means: V(error), V(warning) or V(ignore), by the name that stands in brackets "
        "after a finding.",
        {},
    ),
    "minimums": ("dict", "Least C(cores) and C(memory_mib) of the hosts of a group.", {}),
    "disk_minimums": ("dict", "Free MiB that a path needs. It need not exist yet.", {}),
    "etcd_sync_ms": (
        "int",
        "Milliseconds that 99 of 100 synchronous writes may take where etcd writes. V(0) does not measure.",
        {},
    ),
    "clock_skew": ("int", "Seconds that a host's clock may differ from the controller's. V(0) does not compare.", {}),
    "mtu_minimum": ("int", "Least MTU of the interface with the default route.", {}),
    "check_names": ("list", "Names that each host has to resolve before anything is changed.", _LISTS),
    "check_urls": ("list", "Servers that each host has to reach. Mirrors are among them by themselves.", _LISTS),
    "check_peers": ("int", "How many of its cluster's other hosts each host has to reach, the next ones in turn.", {}),
    "proxy": ("str", "Proxy for apt and for logins, as a URL.", {}),
    "no_proxy": ("list", "Names and networks to reach without it, besides the cluster's hosts.", _LISTS),
    "mirror": ("str", "URL of a mirror that replaces the distribution's own servers.", {}),
    "mirror_security": ("str", "The same for security updates. By default O(host_baseline_mirror).", {}),
    "packages": ("list", "Packages to install, besides those that the role needs.", _LISTS),
    "packages_absent": ("list", "Packages to remove.", _LISTS),
    "modules": ("list", "Kernel modules to load, besides those that Kubernetes needs.", _LISTS),
    "sysctls": ("dict", "Kernel settings to add or to change.", {}),
    "swap_off": ("bool", "Switch swap off, now and at boot, on Kubernetes nodes.", {}),
    "timezone": ("str", "Time zone. Empty leaves it.", {}),
    "ntp_servers": ("list", "Time servers. Without any the distribution's are asked.", _LISTS),
    "set_hostname": ("bool", "Name the host as the inventory does.", {}),
    "hosts_file": (
        "bool",
        "Write the cluster's hosts and the name of its API into C(/etc/hosts). Kubespray no longer does.",
        {},
    ),
    "hosts_entries": ("list", "More entries: C(address) and C(names).", {"elements": "dict"}),
    "api_name": (
        "str",
        "Name of the cluster's API. By default C(cluster_kubernetes.api.domain_name), else "
        "C(apiserver_loadbalancer_domain_name), else C(api.<cluster>).",
        {},
    ),
    "api_address": (
        "str",
        "Its address. By default C(loadbalancer_apiserver.address), else C(cluster_network.api_vip) of the cluster.",
        {},
    ),
    "dns_servers": ("list", "Name servers. Without any the host's settings stay.", _LISTS),
    "dns_search": ("list", "Domains that short names are looked up in.", _LISTS),
    "users": (
        "list",
        "Accounts: C(name), C(comment), C(groups), C(shell), C(password) (a hash, for an account that has none; "
        "who has a password keeps it, and without any only keys work), "
        "C(keys) (all of them; others are removed), C(sudo) (V(no), V(with_password) or V(without_password)), C(state) "
        "(V(present) or V(absent)).",
        {
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True, "description": ["Name of the account."]},
                "comment": {"type": "str", "description": ["Full name."]},
                "groups": {"type": "list", "elements": "str", "description": ["Groups, besides its own."]},
                "shell": {"type": "str", "description": ["Login shell."]},
                "password": {"type": "str", "description": ["Hash of a password, for an account that has none."]},
                "keys": {"type": "list", "elements": "str", "description": ["Public keys."]},
                "sudo": {
                    "type": "str",
                    "choices": ["no", "with_password", "without_password"],
                    "description": [
                        "Whether the account may act as root. Who needs a password for it must have one, or get one."
                    ],
                },
                "state": {"type": "str", "choices": ["present", "absent"], "description": ["Whether it exists."]},
            },
        },
    ),
    "ssh": ("bool", "Harden the SSH server.", {}),
    "ssh_password_login": ("bool", "Let people log in with a password.", {}),
    "ssh_root_login": (
        "str",
        "Whether root can log in. The preflight stops a run that would lock itself out.",
        {"choices": ["no", "prohibit-password", "forced-commands-only", "yes"]},
    ),
    "ssh_allow_groups": ("list", "Only members of these groups can log in.", _LISTS),
    "ssh_settings": ("dict", "Settings of the SSH server to add or to change.", {}),
    "audit": ("bool", "Run the audit daemon.", {}),
    "audit_rules": ("list", "Audit rules to add.", _LISTS),
    "firewall": ("bool", "Let in only what is listed.", {}),
    "firewall_kubernetes": ("bool", "Open the ports of Kubernetes on its nodes.", {}),
    "firewall_management": (
        "list",
        "Networks that may use SSH. Without any, all may. Where the role is run from always may.",
        _LISTS,
    ),
    "firewall_rules": (
        "list",
        "More ports to open: C(name), C(port) (or a range), C(proto) (V(tcp) or V(udp)), C(from) (V(any), V(nodes) of "
        "the same cluster, V(fleet) for all machines, V(management), or a network; or a list of these).",
        {"elements": "dict"},
    ),
    "firewall_undo_after": (
        "int",
        "Seconds after which new rules are undone, unless a new connection has reached the host by then.",
        {},
    ),
    "api_port": (
        "int",
        "Port of the load balancer of the API. By default C(cluster_kubernetes.api.port) of the cluster.",
        {},
    ),
    "updates": ("bool", "Install security updates every night. Never reboots.", {}),
    "updates_hold": ("list", "Packages that are left out, besides those of Kubernetes, GPUs and databases.", _LISTS),
    "journal": ("dict", "Limits of the journal, as in C(journald.conf).", {}),
    "storage_clients": (
        "list",
        "What the host can mount.",
        {"elements": "str", "choices": ["nfs", "iscsi", "multipath"]},
    ),
    "iscsi_initiator_prefix": ("str", "Initiators are named like this, a colon and the host. Empty leaves them.", {}),
    "multipath_settings": ("dict", "Settings for the section C(defaults) of multipath.", {}),
    "gpu": ("str", "The kind of GPU to prepare for.", {"choices": ["none", "nvidia"]}),
    "gpu_packages": ("list", "Packages of the driver and of the container toolkit.", _LISTS),
    "gpu_tasks": ("str", "File with tasks that install the driver in another way.", {}),
    "reboot": ("str", "Whether a host is rebooted that waits for it.", {"choices": ["if_needed", "never"]}),
    "reboot_timeout": ("int", "Seconds to wait for the host to come back.", {}),
}
_REBOOT = ("host_baseline_reboot", "host_baseline_reboot_timeout")


def _options() -> Options:
    defaults = yaml.safe_load(_DEFAULTS.read_text(encoding="utf-8"))
    found: Options = {}
    for name, (kind, text, more) in _TEXTS.items():
        full = f"host_baseline_{name}"
        found[full] = {"type": kind, "default": defaults.pop(full), "description": [text], **more}
    if defaults:
        raise ValueError(f"roles/host_baseline has options that are not described: {', '.join(defaults)}")
    return found


_OPTIONS = _options()

HOST_BASELINE = Role(
    title="Hosts ready for Kubernetes",
    entries={
        "main": Entry(
            "Bring hosts to what Kubernetes needs",
            (
                "First looks at all hosts and tells everything that is wrong with any of them, with how to mend it. "
                "When anything is an error, nothing is changed anywhere.",
                "Then packages, kernel, names, time, accounts, SSH, audit, updates, journal, storage clients, GPU and "
                "firewall. Each is a tag: C(host_baseline_kernel) and so on.",
                "For Ubuntu 22.04 and 24.04 and Debian 12. Put C(any_errors_fatal: true) on the play.",
            ),
            {name: option for name, option in _OPTIONS.items() if name not in _REBOOT},
        ),
        "preflight": Entry(
            "Only tell what is wrong",
            ("Looks at all hosts like C(main), and ends there.",),
            {name: option for name, option in _OPTIONS.items() if name not in _REBOOT},
        ),
        "reboot": Entry(
            "Reboot a host that waits for it",
            (
                "For a play with C(serial: 1), so that one host is away at a time. A host that runs pods, a database "
                "or etcd is left alone, and told of.",
            ),
            {name: _OPTIONS[name] for name in _REBOOT},
        ),
    },
    reads_settings=False,
    example="""\
- name: Prepare hosts
  hosts: k8s_cluster:database
  become: true
  gather_facts: false
  any_errors_fatal: true
  roles:
    - role: k8s.self_provisioning.host_baseline
""",
)

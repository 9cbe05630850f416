# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role postgresql. Their defaults are read from its C(defaults/main.yml)."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from .role_types import Entry, Options, Role

_DEFAULTS = Path(__file__).resolve().parents[3] / "roles" / "postgresql" / "defaults" / "main.yml"
_LISTS = {"elements": "str"}


def _option(kind: str, description: str, **more: t.Any) -> dict[str, t.Any]:
    return {"type": kind, "description": [description], **more}


_DATABASE: Options = {
    "name": _option("str", "Name of the database.", required=True),
    "owner": _option("str", "Role that owns it, and the only one that reaches it.", required=True),
    "password": _option("str", "Password of the role. By default one that follows from the secret."),
    "password_generation": _option("int", "A higher number is a new password."),
    "extensions": _option("list", "Extensions it has.", **_LISTS),
    "connection_limit": _option("int", "Connections at once."),
    "login": _option("bool", "Whether the role may log in."),
}
_RULE: Options = {
    "type": _option("str", "Kind of connection.", choices=["local", "host", "hostssl", "hostnossl"]),
    "database": _option("raw", "A database, or a list of them.", required=True),
    "user": _option("raw", "A role, or a list of them.", required=True),
    "address": _option("str", "An address, a network, or one of PostgreSQL's words."),
    "method": _option("str", "How they prove who they are."),
    "options": _option("str", "Options of the method."),
}
_TEXTS: dict[str, tuple[str, str, dict[str, t.Any]]] = {
    "group": ("str", "Group of the database hosts.", {}),
    "cluster": ("str", "Name of the database cluster. It cannot be changed.", {}),
    "version": ("str", "Major version of PostgreSQL. By default the distribution's.", {}),
    "data": ("str", "Folder of the data. By default C(/var/lib/postgresql/<version>/<cluster>).", {}),
    "port": ("int", "Port of PostgreSQL itself, for the database hosts.", {}),
    "read_write_port": ("int", "Port on every database host that leads to the primary.", {}),
    "read_only_port": ("int", "Port on every database host that leads to the followers.", {}),
    "read_only_lag": ("str", "How far a follower may be behind and still be read from.", {}),
    "client_networks": (
        "list",
        "Networks that may connect to these ports. Without any, all that the firewall lets in.",
        _LISTS,
    ),
    "vip": ("str", "One address for all hosts, which moves by VRRP. Empty for none.", {}),
    "vip_interface": ("str", "Its interface. By default the one with the host's address.", {}),
    "names": ("list", "More names of the databases, for their certificates.", _LISTS),
    "tls": (
        "dict",
        "A certificate for clients instead of our own: files C(ca), C(certificate) and C(key) on the controller.",
        {},
    ),
    "secret": (
        "str",
        "What passwords follow from, of at least 32 characters; from a vault. By default the hosts make one, once.",
        {"no_log": True},
    ),
    "memory_mib": ("int", "Memory to tune for. By default that of the smallest host.", {}),
    "max_connections": ("int", "Connections at once.", {}),
    "parameters": ("dict", "Settings of PostgreSQL to add or to change.", {}),
    "hba": ("list", "Rules of C(pg_hba.conf) that come before ours.", {"elements": "dict", "options": _RULE}),
    "slots": ("dict", "Replication slots that stay, as in Patroni's C(slots).", {}),
    "synchronous": (
        "str",
        "Whether a commit waits for a follower: V(strict) always, V(preferred) while there is one, V(off) never, which "
        "can lose commits.",
        {"choices": ["strict", "preferred", "off"]},
    ),
    "ttl": ("int", "Seconds after which a silent primary is replaced. Patroni allows no less than 20.", {}),
    "loop_wait": ("int", "Seconds between two looks of Patroni.", {}),
    "retry_timeout": ("int", "Seconds for which Patroni tries again before the primary steps down.", {}),
    "watchdog": (
        "str",
        "Whether the host reboots when Patroni hangs.",
        {"choices": ["automatic", "required", "off"]},
    ),
    "restart": ("bool", "Restart databases for settings that need it, one host at a time. Else they are told.", {}),
    "join": (
        "list",
        "Hosts that may join databases which exist, with nothing of their own: new ones, and ones installed afresh.",
        _LISTS,
    ),
    "backup": ("dict", "Settings of pgBackRest, such as C(repo1-path). Empty for no backups.", {}),
    "backup_full": ("str", "When to take full backups, as in systemd's C(OnCalendar).", {}),
    "backup_diff": ("str", "When to take differential ones.", {}),
    "databases": ("list", "Databases of the operators' own.", {"elements": "dict", "options": _DATABASE}),
    "tenants": ("bool", "Make the databases that projects declare.", {}),
    "tree": ("path", "Fleet tree into which to write their Secrets. Empty for none.", {}),
    "sops": ("str", "The program SOPS, 3.8 or newer, on the controller.", {}),
    "disk_minimums": ("dict", "Free MiB that a path needs before the first run. It need not exist yet.", {}),
    "clock_skew": ("int", "Seconds that a host's clock may differ from the controller's. V(0) does not compare.", {}),
    "preflight_severity": (
        "dict",
        "What a check of the preflight means: V(error), V(warning) or V(ignore), by the name that stands in brackets "
        "after a finding.",
        {},
    ),
    "timeout": ("int", "Seconds to wait for the databases in each step.", {}),
    "restore_target": ("str", "V(latest), or a point in time with its zone.", {}),
    "restore_confirm": ("str", "The name of the cluster, to say that you mean it.", {}),
}
_RESTORE = ("postgresql_restore_target", "postgresql_restore_confirm")


def _options() -> Options:
    defaults = yaml.safe_load(_DEFAULTS.read_text(encoding="utf-8"))
    found: Options = {}
    for name, (kind, text, more) in _TEXTS.items():
        full = f"postgresql_{name}"
        found[full] = {"type": kind, "default": defaults.pop(full), "description": [text], **more}
    if defaults:
        raise ValueError(f"roles/postgresql has options that are not described: {', '.join(defaults)}")
    return found


_OPTIONS = _options()
_MAIN = {name: option for name, option in _OPTIONS.items() if name not in _RESTORE}

POSTGRESQL = Role(
    title="PostgreSQL on three hosts outside Kubernetes, with Patroni, HAProxy and pgBackRest",
    entries={
        "main": Entry(
            "Run the databases",
            (
                "First looks at all hosts and tells everything that is wrong with any of them, with how to mend it. "
                "When anything is an error, nothing is changed anywhere.",
                "Then packages, certificates, etcd, Patroni, endpoints, backups and databases. Each is a tag: "
                "C(postgresql_patroni) and so on.",
                "For Ubuntu 22.04 and 24.04 and Debian 12. Put C(any_errors_fatal: true) on the play.",
            ),
            _MAIN,
        ),
        "upgrade": Entry(
            "Install newer packages of the same major version",
            ("Host by host, followers first. The leader hands over before its turn.",),
            _MAIN,
        ),
        "restore": Entry(
            "Bring all databases back to a point in time",
            ("What is there now is moved aside on each host, not deleted.",),
            _OPTIONS,
        ),
    },
    reads_settings=False,
    example="""\
- name: Databases
  hosts: database
  become: true
  gather_facts: false
  any_errors_fatal: true
  roles:
    - role: k8s.self_provisioning.postgresql
""",
)

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role postgresql."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import hba, passwords, tuning


def _guarded(name: str, work: t.Callable[[], t.Any]) -> t.Any:
    try:
        return work()
    except KeyError as error:
        raise AnsibleFilterError(f"k8s.self_provisioning.{name}: the key {error} is missing.") from None
    except ValueError as error:
        raise AnsibleFilterError(f"k8s.self_provisioning.{name}: {error}") from None


def postgresql_parameters(memory_mib: t.Any, cores: t.Any = 2, max_connections: t.Any = 200) -> dict[str, str | int]:
    """Settings that follow from the size of the hosts."""
    return t.cast(
        "dict[str, str | int]",
        _guarded("postgresql_parameters", lambda: tuning.parameters(int(memory_mib), int(cores), int(max_connections))),
    )


def postgresql_hba(nodes: t.Any, replication: t.Any = (), databases: t.Any = (), rules: t.Any = ()) -> list[str]:
    """The lines of pg_hba.conf."""
    return t.cast(
        "list[str]",
        _guarded(
            "postgresql_hba", lambda: hba.rules(*(plain(each) for each in (nodes, replication, databases, rules)))
        ),
    )


def postgresql_password(secret: t.Any, purpose: str, generation: int = 1) -> str:
    """The password for a purpose."""
    return t.cast(
        str,
        _guarded("postgresql_password", lambda: passwords.derived(str(secret).strip(), str(purpose), int(generation))),
    )


def postgresql_with_passwords(databases: t.Any, secret: t.Any) -> list[dict[str, t.Any]]:
    """Databases, each with the password of its owner."""

    def work() -> list[dict[str, t.Any]]:
        key = str(secret).strip()
        return [
            {"password": passwords.derived(key, f"role {each['owner']}", each.get("password_generation", 1)), **each}
            for each in plain(databases)
        ]

    return t.cast("list[dict[str, t.Any]]", _guarded("postgresql_with_passwords", work))


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        found = (postgresql_parameters, postgresql_hba, postgresql_password, postgresql_with_passwords)
        return {f.__name__: f for f in found}

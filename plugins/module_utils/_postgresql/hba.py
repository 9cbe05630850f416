# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may connect to which database as whom: C(pg_hba.conf)."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = ("all", "replication", "sameuser", "samerole", "samegroup")
#: Words that PostgreSQL accepts in place of an address.
_PLACES = ("all", "samehost", "samenet")
_LOOPBACK = ("127.0.0.1/32", "::1/128")


def rules(
    nodes: Sequence[str],
    replication: Iterable[str],
    databases: Iterable[Mapping[str, t.Any]],
    extra: Iterable[Mapping[str, t.Any]],
) -> list[str]:
    """The lines, in order; the first that fits decides.

    Clients come through HAProxy on the nodes, so that theirs are the addresses that PostgreSQL sees. A role of a tenant
    reaches its own database and no other, and the superuser comes from nowhere but the host itself.

    @param nodes: addresses of the database hosts.
    @param replication: roles that replicate and rewind.
    @param databases: databases of tenants, with C(name) and C(owner).
    @param extra: rules from the inventory: C(type), C(database), C(user), C(address), C(method), C(options).
    """
    places = [network(each) for each in nodes]
    lines = ["local all postgres peer"]
    for role in replication:
        # Patroni asks the host's own database how far it is over the loopback, before it decides to rewind.
        for place in (*_LOOPBACK, *places):
            lines += [f"hostssl {word} {role} {place} scram-sha-256" for word in ("replication", "postgres")]
    lines += ["host all postgres all reject"]
    lines += [_line(rule) for rule in extra]
    for each in sorted(databases, key=lambda database: str(database["name"])):
        pair = f"{_word(str(each['name']))} {_word(str(each['owner']))}"
        lines += [f"hostssl {pair} {place} scram-sha-256" for place in places]
    return [*lines, "host all all all reject"]


def network(address: str) -> str:
    """An address as C(pg_hba.conf) writes it."""
    if "/" in address or address in _PLACES:
        return address
    if ":" in address:
        return f"{address}/128"
    return f"{address}/32" if re.fullmatch(r"[0-9.]+", address) else address


def _line(rule: Mapping[str, t.Any]) -> str:
    kind = str(rule.get("type", "hostssl"))
    words = [kind, _list(rule["database"]), _list(rule["user"])]
    if kind != "local":
        words.append(network(str(rule["address"])))
    return " ".join(
        [*words, str(rule.get("method", "scram-sha-256")), *([str(rule["options"])] if rule.get("options") else [])]
    )


def _list(value: t.Any) -> str:
    return ",".join(map(_word, [value] if isinstance(value, str) else value))


def _word(name: str) -> str:
    """A name as it stands; quoted, when it would be read as something else.

    @raises ValueError: it cannot be written.
    """
    if "\n" in name or '"' in name:
        raise ValueError(f"{name!r} cannot stand in pg_hba.conf.")
    if name in _WORDS or _PLAIN.fullmatch(name) or name.startswith(("+", "/")):
        return name
    return f'"{name}"'

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases that projects ask for: one for each of their environments, on the hosts outside Kubernetes."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator

from .entities import Environment
from .errors import Problems, Where, suggest

#: PostgreSQL cuts longer names.
MAX_NAME = 63


def check(environments: Iterable[Environment], problems: Problems) -> None:
    """Reports databases for environments that do not exist, and names that are too long or not the only one."""
    environments = list(environments)
    known: dict[str, list[str]] = {}
    for environment in environments:
        known.setdefault(f"{environment.tenant.id}/{environment.project.id}", []).append(environment.name)
    names: dict[str, Where] = {}
    for environment, declared, where in _declared(environments):
        own = known[f"{environment.tenant.id}/{environment.project.id}"]
        for wanted in declared.get("environments", ()):
            if wanted not in own:
                problems.error(
                    "unknown-name",
                    where / "environments",
                    f"the project has no environment {wanted!r}.",
                    suggest(wanted, own),
                )
        if not _is_in(environment, declared):
            continue
        name = database_name(environment.namespace, declared["name"])
        if len(name) > MAX_NAME:
            problems.error(
                "name-too-long",
                where / "name",
                f"the database {name!r} has {len(name)} characters; at most {MAX_NAME} are allowed.",
                f"Shorten it by {len(name) - MAX_NAME}.",
            )
        elif name in names:
            problems.error(
                "duplicate",
                where / "name",
                f"the database {name!r} is declared twice, here and by {names[name].text}.",
                "Choose another name.",
            )
        names.setdefault(name, where)


def databases(environments: Iterable[Environment]) -> list[dict[str, t.Any]]:
    """All databases, by name: what they are called, whose they are, and where their Secret has to be.

    An archived environment keeps its database, and nobody can log in.
    """
    found = []
    for environment, declared, _where in _declared(environments):
        if not _is_in(environment, declared):
            continue
        name = database_name(environment.namespace, declared["name"])
        found.append(
            {
                "name": name,
                "owner": name,
                "tenant": environment.tenant.id,
                "project": environment.project.id,
                "environment": environment.name,
                "namespace": environment.namespace,
                "secret_name": f"postgresql-{declared['name']}",
                "clusters": list(environment.placement.clusters) if environment.placement else [],
                "extensions": list(declared.get("extensions", ())),
                "connection_limit": declared.get("connection_limit", 20),
                "password_generation": declared.get("password_generation", 1),
                "login": environment.values.get("state", "active") != "archived",
            }
        )
    return sorted(found, key=lambda each: str(each["name"]))


def database_name(namespace: str, name: str) -> str:
    """C(<tenant>_<project>_<environment>__<name>), which needs no quotes in SQL."""
    return f"{namespace}__{name}".replace("-", "_")


def _declared(environments: Iterable[Environment]) -> Iterator[tuple[Environment, dict[str, t.Any], Where]]:
    for environment in environments:
        listed = environment.project.where / "databases"
        for place, declared in enumerate(environment.project.values.get("databases", ())):
            yield environment, declared, listed.item(place, declared["name"])


def _is_in(environment: Environment, declared: dict[str, t.Any]) -> bool:
    wanted = declared.get("environments")
    return wanted is None or environment.name in wanted

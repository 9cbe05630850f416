# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on variable files that neither YAML nor the model knows."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from .._model.errors import Key, Problems, Where, nearest
from .._model.names import TENANT_PREFIX
from .reading import is_tenant_file
from .yaml_data import Literal, Vaulted, unmarked

#: What makes a text a template.
MARKS = ("{{", "{%", "{#")
#: Stands for a value that must not be used.
PLACEHOLDER = "(not shown)"
#: Variables that only this machine uses.
NEVER_RENDERED = frozenset(("cluster_kubeconfig",))
#: Variables of all clusters.
_SHARED = ("fleet_", TENANT_PREFIX)
_OURS = (*_SHARED, "cluster_")
_MOST_NAMED = 5

NO_CLUSTERS = (
    "the inventory has no host in the group 'clusters', so there is no fleet.",
    "Write this group into hosts.yml, with one host per cluster.",
)
EMPTY_FILE = (
    "it is empty, so the tenant it should declare would vanish.",
    "Declare the tenant, or remove the file to remove the tenant.",
)
VAULTED_FILE = (
    "Ansible Vault encrypted it; a tenant file is data that everybody concerned can read.",
    "Decrypt it. Secrets belong into Secrets on the cluster.",
)


def is_template(text: str) -> bool:
    """Whether Ansible would template I(text)."""
    return any(mark in text for mark in MARKS)


def vaulted(where: Where, problems: Problems) -> None:
    """Reports a value that Ansible Vault encrypted; it would be written as plain text."""
    if where.variable in NEVER_RENDERED:
        return
    if where.variable.startswith(TENANT_PREFIX):
        fix = "Take it out: a tenant file holds no secrets. Make it a Secret in the namespace."
    else:
        fix = "Take it out, and name a Secret on the cluster instead; charts have a value for its name."
    problems.error(
        "vaulted", where, "the value is encrypted, and would be written into Git or the cluster decrypted.", fix
    )


def vaulted_values(file: Path, variables: Mapping[str, t.Any], problems: Problems) -> None:
    """Reports every vaulted value of our variables."""
    for variable, value in variables.items():
        if isinstance(variable, str) and variable.startswith(_OURS):
            for keys in _closed(value):
                where = Where(variable, file=str(file))
                for key in keys:
                    where = where / key
                vaulted(where, problems)


def _closed(value: t.Any) -> Iterator[tuple[Key, ...]]:
    found: list[tuple[Key, ...]] = []
    unmarked(value, found.append)
    yield from found


def placeholder(_keys: tuple[Key, ...]) -> str:
    """What stands for a vaulted value."""
    return PLACEHOLDER


def tenant_files(
    read: Mapping[Path, Mapping[str, t.Any]],
    defined: Mapping[str, list[Path]],
    roots: tuple[Path, ...],
    problems: Problems,
    shown: Callable[[Path], str],
) -> None:
    """A tenant file defines its tenant and nothing else: another variable could be a template that Ansible runs."""
    for variable, files in defined.items():
        if len(files) > 1 and variable.startswith(TENANT_PREFIX):
            names = " and ".join(shown(file) for file in files)
            what = f"the variable is defined in {names}; Ansible would keep only one."
            problems.error("duplicate-id", Where(variable), what, "Keep one of them.")
    for file, variables in sorted(read.items()):
        if not is_tenant_file(file, roots):
            continue
        expected = TENANT_PREFIX + file.stem.replace("-", "_")
        for variable in variables:
            if not variable.startswith(TENANT_PREFIX):
                near = nearest(variable, [expected])
                problems.error(
                    "wrong-variable",
                    Where(variable, file=str(file)),
                    "a tenant file defines one variable, tenant__<id>, and nothing else.",
                    f"Did you mean {expected!r}?" if near else "Take it out; settings belong into other files.",
                )
        own = [v for v in variables if v.startswith(TENANT_PREFIX)]
        if len(own) > 1:
            problems.error(
                "wrong-variable",
                Where(own[1], file=str(file)),
                f"the file defines {len(own)} tenants: {', '.join(own)}.",
                "Give every tenant a file of its own.",
            )


_ABSENT = object()


def agreement(values: Mapping[str, Mapping[str, t.Any]], places: Iterable[tuple[str, str]], problems: Problems) -> None:
    """Reports each setting or tenant that is not the same for all clusters: the fleet has one of each.

    @param values: all variables, by cluster.
    @param places: clusters, and variables for which they have a file of their own.
    """
    names = list(values)
    if not names:
        return
    first = values[names[0]]
    odd: dict[str, list[str]] = {}
    for name in names[1:]:
        other = values[name]
        for key, value in first.items():
            # one file gives all clusters one object, so that looking inside is rare
            if key.startswith(_SHARED) and other.get(key, _ABSENT) is not value and not _equal(other, key, value):
                odd.setdefault(key, []).append(name)
        for key in other.keys() - first.keys():
            if key.startswith(_SHARED):
                odd.setdefault(key, []).append(name)
    own = set(places) if odd else set()
    for key, others in sorted(odd.items()):
        having = [name for name in names if key in values[name]]
        at = next((name for name in having if (name, key) in own), having[0])
        if len(having) < len(names):
            what = f"only {_listed(having)} of {len(names)} clusters know it; it counts for the whole fleet."
        else:
            what = f"its value on {_listed(others)} is another than on {names[0]}; the fleet has one."
        problems.error("differs", Where(key, host=at), what, "Define it once, below group_vars/all.")


def _equal(variables: Mapping[str, t.Any], key: str, value: t.Any) -> bool:
    try:
        return key in variables and bool(variables[key] == value)
    except Exception:  # a value that cannot even be compared, such as one that needs a password
        return False


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


class Untemplated:
    """Takes values as they are written; warns of each that Ansible would template."""

    def __init__(self, problems: Problems, why: str = "templates are not run here") -> None:
        self._problems, self._why = problems, why

    def __call__(self, value: t.Any, where: Where) -> t.Any:
        if isinstance(value, dict):
            return {(str.__str__(k) if isinstance(k, str) else k): self(v, where / k) for k, v in value.items()}
        if isinstance(value, list):
            return [self(item, where / index) for index, item in enumerate(value)]
        if isinstance(value, Vaulted):
            return PLACEHOLDER
        if isinstance(value, str):
            if not isinstance(value, Literal) and is_template(value):
                what = f"it is a template, and {self._why}; it is not checked."
                self._problems.warn("template", where, what)
            return str.__str__(value)
        return value

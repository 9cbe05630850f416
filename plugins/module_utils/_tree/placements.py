# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placements: written into the tree and read back from it, so that they stay."""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import os
import typing as t
from collections.abc import Iterable, Mapping

from .._libraries import load as library
from .._model.entities import Environment, Placement, Retained
from .._model.errors import ModelError, show, suggest
from .._model.quantity import canonical
from .._model.retention import outlives
from . import journal, paths
from .disk import Disk
from .errors import TreeError

if t.TYPE_CHECKING:
    import yaml
else:
    yaml = library("yaml")

#: What is recorded by tenant/project/environment; see C(parse).
Recorded = dict[str, dict[str, t.Any]]
_POLICIES = ("retain", "archive", "delete")
#: How many columns the account has, and how text in it begins that a spreadsheet would take for a formula.
_COLUMNS = 9
_ESCAPED = tuple(f"'{sign}" for sign in "=+-@\t\r")


def document(
    environments: Iterable[Environment],
    retained: Iterable[Retained] = (),
    delivered: Mapping[str, str] | None = None,
) -> dict[str, t.Any]:
    """What C(placements.yaml) holds: tenant/project/environment to clusters, day and reason.

    An entry also has the deletion policy, unless that is C(retain): when the environment is gone, nobody else knows it.
    What is retained has all that is needed to count it, and to place it again when it comes back.

    @param delivered: deletion policies that still hold on the clusters, because this run does not reach them.
    """
    result: dict[str, dict[str, t.Any]] = {}
    for environment in environments:
        placement = environment.placement
        if placement:
            policy = (delivered or {}).get(environment.key, environment.deletion_policy)
            result[environment.key] = {"clusters": list(placement.clusters), **notes(placement), **_policy(policy)}
    for each in retained:
        result[each.key] = {
            "clusters": list(each.clusters),
            **notes(each),
            **_policy(each.deletion_policy),
            "retained": True,
            "since": each.since,
            **({"cost_center": each.cost_center} if each.cost_center else {}),
            **({"quota": {key: str(amount) for key, amount in each.quota.items()}} if each.quota else {}),
        }
    return dict(sorted(result.items()))


def notes(placement: Placement | Retained) -> dict[str, str]:
    """Day and reason of a placement, as far as they are known."""
    known = {"decided_at": str(placement.decided_at), "reason": placement.reason}
    return {key: text for key, text in known.items() if text}


def _policy(policy: str) -> dict[str, str]:
    return {} if policy == "retain" else {"deletion_policy": policy}


def read(root: str | os.PathLike[str]) -> Recorded:
    """The placements of the last run, in the form that C(compile_fleet) takes; empty when there are none."""
    disk = Disk(root)
    interrupted = journal.pending(disk) if disk.exists else None
    if interrupted:
        disk.overlay = journal.overlay(interrupted)
    return read_opened(disk)


def read_opened(disk: Disk) -> Recorded:
    """C(read) for a tree that is held open."""
    text = disk.read(paths.PLACEMENTS) if disk.exists else None
    if text is None:
        return {}
    recorded = parse(text, disk.full(paths.PLACEMENTS))
    _add_accounts(recorded, disk.read(paths.LEDGER) or b"")
    return recorded


def _add_accounts(recorded: Recorded, ledger: bytes) -> None:
    """What each environment was promised last, from the account of the last run.

    Not in C(placements.yaml), which would change with every quota; a retained one, which has no account of its own any
    more, says it there.
    """
    # a damaged account is written anew by this run; it must not stop it
    with contextlib.suppress(csv.Error):
        for row in csv.reader(io.StringIO(ledger.decode("utf-8", "replace"))):
            entry = recorded.get(row[1]) if len(row) == _COLUMNS and row[0] == "environment" else None
            if entry is None or entry.get("retained") or row[2] != entry["clusters"][0]:
                continue
            if row[3]:
                entry["cost_center"] = row[3][1:] if row[3].startswith(_ESCAPED) else row[3]
            with contextlib.suppress(ModelError):
                if row[5] != "month":
                    entry.setdefault("quota", {})[row[5]] = canonical(row[7])


def parse(text: bytes, where: str) -> Recorded:
    """Reads the text of C(placements.yaml).

    @param where: the file, for messages.
    """
    fix = f"Take it back from Git: git checkout HEAD -- {paths.PLACEMENTS}. Without it all placements are decided anew."
    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise TreeError(
            where, f"it is not YAML{line}: {getattr(error, 'problem', None) or 'it cannot be read'}.", fix
        ) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise TreeError(where, "it is not a mapping of environments.", fix)
    result = {}
    for key, entry in data.items():
        clusters = entry.get("clusters") if isinstance(entry, dict) else None
        if not isinstance(key, str) or key.count("/") != 2:
            raise TreeError(where, f"{key!r} is not tenant/project/environment.", fix)
        if not isinstance(clusters, list) or not clusters or not all(isinstance(name, str) for name in clusters):
            raise TreeError(where, f"the entry {key} has no list of clusters.", fix)
        result[key] = {
            "clusters": clusters,
            "decided_at": _date(entry.get("decided_at")),
            "reason": str(entry.get("reason") or ""),
            **_retention(key, entry, where, fix),
        }
    return result


def _retention(key: str, entry: Mapping[str, t.Any], where: str, fix: str) -> dict[str, t.Any]:
    """What an entry says about staying; a retained one is the only place that knows."""
    found: dict[str, t.Any] = {}
    policy = entry.get("deletion_policy")
    if policy is not None:
        if policy not in _POLICIES:
            what = f"the entry {key} has the deletion_policy {show(policy)}. {suggest(policy, _POLICIES)}"
            raise TreeError(where, what, fix)
        found["deletion_policy"] = policy
    if entry.get("retained"):
        found.update(retained=True, since=_date(entry.get("since")))
        if entry.get("cost_center"):
            found["cost_center"] = str(entry["cost_center"])
        quota = entry.get("quota") or {}
        try:
            if not isinstance(quota, dict):
                raise ModelError("it is not a mapping.")
            found["quota"] = {str(name): canonical(amount) for name, amount in quota.items()}
        except ModelError as error:
            raise TreeError(where, f"the quota of the entry {key} cannot be used: {error}", fix) from None
    return found


def kept_files(recorded: Mapping[str, Mapping[str, t.Any]]) -> set[str]:
    """The files of the tree whose namespaces stay when the files go."""
    kept: set[str] = set()
    for key, entry in recorded.items():
        if outlives(entry):
            tenant, namespace = key.split("/")[0], key.replace("/", "-")
            kept.update(f"{paths.tenant_folder(name, tenant)}/{namespace}.yaml" for name in entry["clusters"])
    return kept


def _date(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime.date) else str(value or "")

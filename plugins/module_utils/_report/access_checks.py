# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to ask a cluster's authorizer, so that its answers prove an access report right or wrong.

Each row is checked for what it gives and for what it must not give. Then, that nobody has rights in a namespace where
the report gives none: for every subject and namespace, or for a sample of these pairs when there are too many.
"""

from __future__ import annotations

import hashlib
import typing as t
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from .._objects.cluster_roles import ADMIN, EDITOR, VIEWER
from .access import ADMINISTER, EDIT, OTHER, VIEW, Row, shown

_RBAC = "rbac.authorization.k8s.io"
_EVERYBODY = "system:authenticated"
_ANSWERS = {True: "allowed", False: "denied"}
#: A verb, an API group and a resource, with what it takes.
Deed = tuple[str, str, str]
_DEEDS: tuple[tuple[str, Deed], ...] = (
    (VIEW, ("get", "", "pods")),
    (EDIT, ("get", "", "secrets")),
    (EDIT, ("create", "apps", "deployments")),
    (ADMINISTER, ("create", _RBAC, "rolebindings")),
)
#: Nobody in a namespace has these, however much they administer it. The last one holds for our own roles only.
_WALLS: tuple[Deed, ...] = (("patch", "", "namespaces"), ("patch", "", "resourcequotas"))
_OWN_WALL: Deed = ("delete", "networking.k8s.io", "networkpolicies")
_EVERYWHERE: tuple[Deed, ...] = (("list", "", "secrets"), ("patch", "", "namespaces"), ("bind", _RBAC, "clusterroles"))
_RANK = {VIEW: 1, EDIT: 2, ADMINISTER: 3}
_OURS = frozenset((ADMIN, EDITOR, VIEWER))

Who = tuple[str, str, str]


class Check(t.NamedTuple):
    """A question to the authorizer, and the answer that the report implies.

    @param row: the index of the row it belongs to; -1 for a namespace where the subject has none.
    """

    spec: dict[str, t.Any]
    expected: bool
    text: str
    row: int = -1


class Plan(t.NamedTuple):
    """All questions for one cluster. I(scope) says in words what they cover."""

    checks: list[Check]
    scope: str
    pairs: int
    sampled: int


def plan(
    found: Sequence[Row],
    cluster: str,
    namespaces: Iterable[str],
    *,
    platform: Collection[str] = (),
    limit: int = 5000,
) -> Plan:
    """The questions for one cluster.

    @param found: rows of the whole cluster; those of other clusters are passed over.
    @param namespaces: every namespace of tenants on it.
    @param platform: names of users and groups that have all rights by declaration; nothing is asked about them.
    @param limit: how many pairs of a subject and a namespace without a row to ask about, at most.
    """
    rights: dict[Who, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, row in enumerate(found):
        if row["cluster"] == cluster and row["subject_name"] not in platform:
            rights[_who(row)][row["namespace"]].append(index)
    checks: list[Check] = []
    for who in sorted(rights):
        for namespace in sorted(rights[who]):
            checks += _given(found, who, namespace, rights[who][namespace])
        checks += [_check(who, "", deed, expected=False) for deed in _EVERYWHERE]
    pairs = [(who, name) for who in sorted(rights) for name in sorted(namespaces) if name not in rights[who]]
    chosen = _sample(pairs, limit)
    checks += [_check(who, name, deed, expected=False) for who, name in chosen for _level, deed in _DEEDS[:1]]
    how = "all" if len(chosen) == len(pairs) else f"a sample of {len(chosen)} of"
    scope = f"every row; {how} {len(pairs)} pairs of a subject and a namespace where it has no right"
    return Plan(checks, scope, len(pairs), len(chosen))


def _given(found: Sequence[Row], who: Who, namespace: str, indexes: list[int]) -> list[Check]:
    """What all rows of a subject in a namespace give together."""
    words = {found[i]["can"] for i in indexes}
    roles = {found[i]["role"] for i in indexes}
    most = max((_RANK.get(word, 0) for word in words), default=0)
    checks = []
    for level, deed in _DEEDS:
        may = _RANK[level] <= most
        # A role that we do not know may give more than the others, so only what the others give is certain.
        if may or OTHER not in words:
            checks.append(_check(who, namespace, deed, expected=may, row=indexes[0]))
    if OTHER not in words:
        walls = (*_WALLS, _OWN_WALL) if roles <= _OURS else _WALLS
        checks += [_check(who, namespace, deed, expected=False, row=indexes[0]) for deed in walls]
    return checks


def _sample(pairs: list[tuple[Who, str]], limit: int) -> list[tuple[Who, str]]:
    """The same ones each time for the same fleet, and spread over it."""
    if len(pairs) <= limit:
        return pairs
    return sorted(sorted(pairs, key=lambda pair: hashlib.sha256(repr(pair).encode()).digest())[:limit])


def _who(row: Row) -> Who:
    return row["subject_kind"], row["subject_namespace"], row["subject_name"]


def place(row: Row) -> tuple[str, ...]:
    """What checks are made for: all rows of a subject in a namespace are right or wrong together."""
    return row["cluster"], row["namespace"], *_who(row)


def _check(who: Who, namespace: str, deed: Deed, *, expected: bool, row: int = -1) -> Check:
    verb, group, resource = deed
    kind, home, name = who
    asked = {"verb": verb, "resource": resource}
    asked.update({key: value for key, value in (("group", group), ("namespace", namespace)) if value})
    spec: dict[str, t.Any] = {"resourceAttributes": asked}
    if kind == "Group":
        spec["groups"] = [name, _EVERYBODY]
    elif kind == "ServiceAccount":
        spec["user"] = f"system:serviceaccount:{home}:{name}"
        spec["groups"] = ["system:serviceaccounts", f"system:serviceaccounts:{home}", _EVERYBODY]
    else:
        spec["user"], spec["groups"] = name, [_EVERYBODY]
    subject = shown({"subject_kind": kind, "subject_namespace": home, "subject_name": name})
    where = f"in {namespace}" if namespace else "in all namespaces"
    return Check(spec, expected, f"{subject}: {verb} {resource} {where}", row)


def mismatch(check: Check, answer: bool, reason: str) -> dict[str, t.Any]:
    """What the authorizer answers, and what it should."""
    text = f"{check.text} is {_ANSWERS[answer]}, and should be {_ANSWERS[check.expected]}"
    return {
        "check": check.text,
        "expected": _ANSWERS[check.expected],
        "answer": _ANSWERS[answer],
        "reason": reason,
        "text": f"{text}{f' ({reason})' if reason else ''}",
    }

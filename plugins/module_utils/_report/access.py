# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can do what where, and because of what: from the inventory, as rows, a table and a CSV for auditors."""

from __future__ import annotations

import csv
import io
import typing as t
from collections.abc import Iterable, Iterator, Mapping

from .._model.entities import Environment
from .._model.fleet import Fleet
from .._objects.cluster_roles import ADMIN, EDITOR, VIEWER
from .._objects.common import DEPLOYER, RECONCILER
from .table import table

Row = dict[str, str]

COLUMNS = (
    "tenant", "project", "environment", "namespace", "cluster", "state", "subject_kind", "subject_name",
    "subject_namespace", "role", "can", "origin", "until", "reason",
)  # fmt: skip
#: Only when it was checked against the cluster.
VERIFIED = "verified"
ADMINISTER, EDIT, VIEW, OTHER = "administer", "edit", "view", "other"
#: In words; those without a prefix are the roles that Kubernetes itself brings.
WORDS = {ADMIN: ADMINISTER, EDITOR: EDIT, VIEWER: VIEW, "admin": ADMINISTER, "edit": EDIT, "view": VIEW}
#: First characters with which a spreadsheet takes a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_BUILT_IN = "every environment"


class _Grant(t.NamedTuple):
    """A role for a subject, and where the inventory gives it."""

    role: str
    subject: Mapping[str, str]
    origin: str
    until: str = ""
    reason: str = ""


def rows(fleet: Fleet, *, subject: str | None = None, cluster: str | None = None) -> list[Row]:
    """One row for each right of each subject in each environment on each cluster.

    @param subject: only this one; see C(is_subject).
    @param cluster: only this one.
    """
    result = []
    for name in sorted(fleet.clusters):
        if cluster in (None, name):
            for environment in fleet.on_cluster(name):
                result += [row for row in _rows(environment, name) if subject is None or is_subject(row, subject)]
    return result


def _rows(environment: Environment, cluster: str) -> Iterator[Row]:
    merged: dict[tuple[str, ...], _Grant] = {}
    for grant in _grants(environment):
        key = (grant.role, grant.subject["kind"], grant.subject["name"], grant.subject.get("namespace", ""))
        known = merged.get(key)
        if known is not None:
            # One right from several places lasts as long as the longest of them.
            until = max(known.until, grant.until) if known.until and grant.until else ""
            reason = "; ".join(filter(None, dict.fromkeys((known.reason, grant.reason))))
            grant = grant._replace(origin=f"{known.origin}; {grant.origin}", until=until, reason=reason)
        merged[key] = grant
    for (role, kind, name, namespace), grant in sorted(merged.items(), key=lambda item: (item[0][1:], item[0][0])):
        yield {
            "tenant": environment.tenant.id,
            "project": environment.project.id,
            "environment": environment.name,
            "namespace": environment.namespace,
            "cluster": cluster,
            "state": environment.state,
            "subject_kind": kind,
            "subject_name": name,
            "subject_namespace": namespace,
            "role": role,
            "can": WORDS.get(role, OTHER),
            "origin": grant.origin,
            "until": grant.until,
            "reason": grant.reason,
        }


def _grants(environment: Environment) -> Iterator[_Grant]:
    """The same subjects and roles that the RoleBindings name; a test compares the two."""
    values, archived = environment.values, environment.state == "archived"
    levels = [*((each.where, each.values) for each in environment.tenant.line)]
    levels.append((environment.project.where, environment.project.values))
    for where, given in levels:
        for index, owner in enumerate(given.get("owners", ())):
            yield _Grant(
                VIEWER if archived else values["owner_role"],
                _subject(owner, environment),
                (where / "owners" / index).text,
            )
    listed = environment.where / "grants"
    timed = {(listed / index).text: grant for index, grant in enumerate(environment.declared.get("grants", ()))}
    places = environment.effective.provenance.get(("role_bindings",), ())
    for binding, at in zip(values.get("role_bindings") or (), places, strict=True):
        grant = timed.get(at.text, {})
        for each in binding["subjects"]:
            yield _Grant(
                VIEWER if archived else binding["cluster_role"],
                _subject(each, environment),
                at.text,
                str(grant.get("expires_at", "")),
                ", ".join(filter(None, (grant.get("reason"), grant.get("request")))),
            )
    if not archived:
        for name, role in ((DEPLOYER, EDITOR), (RECONCILER, ADMIN)):
            account = {"kind": "ServiceAccount", "name": name}
            yield _Grant(role, _subject(account, environment), _BUILT_IN)


def _subject(given: Mapping[str, t.Any], environment: Environment) -> dict[str, str]:
    subject = {"kind": given["kind"], "name": given["name"]}
    if given["kind"] == "ServiceAccount":
        subject["namespace"] = given.get("namespace", environment.namespace)
    return subject


def is_subject(row: Row, subject: str) -> bool:
    """Whether a row is about somebody: a name, C(kind/name), or C(namespace/name) of a ServiceAccount."""
    name, kind, namespace = row["subject_name"], row["subject_kind"], row["subject_namespace"]
    account = (f"{namespace}/{name}", f"system:serviceaccount:{namespace}:{name}") if namespace else ()
    return subject in (name, f"{kind}/{name}", *account)


def shown(row: Row) -> str:
    """A subject, for people."""
    namespace = row["subject_namespace"]
    return f"{row['subject_kind']} {f'{namespace}/' if namespace else ''}{row['subject_name']}"


def as_table(found: Iterable[Row]) -> list[str]:
    """Lines for people, without the accounts that every environment has."""
    listed = [row for row in found if row["origin"] != _BUILT_IN]
    checked = any(VERIFIED in row for row in listed)
    head = [
        "CLUSTER",
        "NAMESPACE",
        "STATE",
        "WHO",
        "CAN",
        "ROLE",
        "UNTIL",
        *(["VERIFIED"] if checked else []),
        "ORIGIN",
    ]
    cells = [
        [
            row["cluster"],
            row["namespace"],
            row["state"],
            shown(row),
            row["can"],
            row["role"],
            row["until"] or "-",
            *([row.get(VERIFIED, "")] if checked else []),
            row["origin"],
        ]
        for row in listed
    ]
    return table(head, cells)


def as_csv(found: Iterable[Row]) -> str:
    """All columns, one line for each row."""
    listed = list(found)
    columns = [*COLUMNS, *([VERIFIED] if any(VERIFIED in row for row in listed) else [])]
    out = io.StringIO()
    # RFC 4180; and with this end of line a lone carriage return in a cell is quoted as well.
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column, "")) for column in columns] for row in listed)
    return out.getvalue()


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula, whatever blanks stand before it."""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text

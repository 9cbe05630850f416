# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster's tenants, in words."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._model.quantity import parse, total
from . import account as accounts
from .table import count, heading, table, wrapped

_MOST, _MOST_TENANTS = 20, 40
#: Shown in any case; the others when anything has them.
_COLUMNS = ("requests.cpu", "requests.memory", "requests.storage", "pods")
#: From this share on a quota is called nearly full.
_NEARLY = 0.9
_WORDS = {
    "drift": ("object differs", "objects differ"),
    "missing": ("is missing", "are missing"),
    "orphans": ("is no longer declared", "are no longer declared"),
    "unreadable": ("kind is not readable", "kinds are not readable"),
}


def headline(result: Mapping[str, t.Any]) -> str:
    """One sentence on a cluster."""
    counts = result["summary"]
    told = [
        f"{counts[part]} {one if counts[part] == 1 else many}" for part, (one, many) in _WORDS.items() if counts[part]
    ]
    size = f"{count(counts['environments'], 'environment')}, {count(counts['objects'], 'object')}"
    return f"{result['cluster']}: {size}: {', '.join(told) or 'as declared'}"


def summary(result: Mapping[str, t.Any]) -> list[str]:
    """Usage of the tenants, then everything that is not as declared."""
    lines = [headline(result), *_usage(result["usage"]), *_full(result["usage"]["environments"])]
    lines += _part("drift: differs from the inventory", result["drift"], _drifted)
    lines += _part("missing", result["missing"], lambda row: f"{_place(row)} {row['why']}".strip())
    lines += _part("orphans: ours, and no longer declared", result["orphans"], _orphan)
    lines += _part("quotas and limits of others", result["extras"], lambda row: f"{_place(row)}: {row['what']}")
    lines += _part("namespaces with conditions", result["namespaces"], _namespace)
    lines += _part("not readable", result["unreadable"], lambda row: f"{row['kind']}: {row['why']}")
    return [*lines, ""]


def _usage(usage: Mapping[str, t.Any]) -> list[str]:
    """Every tenant, the fullest first when there are many, and all together."""
    tenants = usage["tenants"]
    if not tenants:
        return []
    every = {key for row in tenants.values() for key, cell in row["resources"].items() if parse(cell["hard"])}
    keys = [key for key in _COLUMNS if key in every] + sorted(key for key in every if accounts.is_device(key))
    order = sorted(tenants)
    if len(order) > _MOST_TENANTS:
        order = sorted(order, key=lambda name: (-_share(tenants[name]["resources"], keys), name))
    whole = {key: _total([row["resources"].get(key) for row in tenants.values()]) for key in keys}
    rows = [
        [name, str(tenants[name]["environments"]), *(_cell(tenants[name]["resources"].get(key)) for key in keys)]
        for name in order[:_MOST_TENANTS]
    ]
    rows.append(["all", str(len(usage["environments"])), *(_cell(whole[key]) for key in keys)])
    head = ["TENANT", "ENVIRONMENTS", *(accounts.title(key, keys) for key in keys)]
    lines = [*heading("used/quota"), *table(head, rows, range(1, len(head)))]
    more = len(order) - _MOST_TENANTS
    return [*lines, f"  and {count(more, 'tenant')} with less of the quota in use"] if more > 0 else lines


def _share(resources: Mapping[str, t.Any], keys: Iterable[str]) -> float:
    return max((resources[key]["share"] or 0.0 for key in keys if key in resources), default=0.0)


def _total(cells: Iterable[Mapping[str, str] | None]) -> dict[str, str]:
    given = [cell for cell in cells if cell]
    return {part: str(total(cell[part] for cell in given)) for part in ("used", "hard")}


def _full(environments: Mapping[str, Mapping[str, t.Any]]) -> list[str]:
    """Environments whose quota is used up, or nearly."""
    over, nearly, uncounted = [], [], []
    for key, row in environments.items():
        shares = {
            what: cell["share"] for amounts in row["quotas"].values() for what, cell in amounts.items() if cell["share"]
        }
        full = [f"{what} {share:.0%}" for what, share in sorted(shares.items()) if share >= _NEARLY]
        if row["over"]:
            over.append(f"{key}: {', '.join(row['over'])}")
        elif full:
            nearly.append(f"{key}: {', '.join(full)}")
        if not row["counted"]:
            uncounted.append(key)
    return [
        *_part("over quota: it was lowered below what is used", over, str),
        *_part("quota nearly used up", nearly, str),
        *_part("quota not counted yet", uncounted, str),
    ]


def _part(title: str, rows: list[t.Any], say: t.Callable[[t.Any], str]) -> list[str]:
    if not rows:
        return []
    told = ["\n".join(wrapped(say(row), "    ", "  ")) for row in rows[:_MOST]]
    more = [f"  and {len(rows) - _MOST} more"] if len(rows) > _MOST else []
    return [*heading(f"{title} ({len(rows)})"), *told, *more]


def _cell(amounts: Mapping[str, t.Any] | None) -> str:
    return f"{amounts['used']}/{amounts['hard']}" if amounts else "-"


def _place(row: Mapping[str, str]) -> str:
    return f"{row['kind']} {row['namespace'] + '/' if row['namespace'] else ''}{row['name']}"


def _drifted(row: Mapping[str, t.Any]) -> str:
    parts = []
    for field in row["fields"]:
        if field["path"] == ".":
            parts.append("never applied from the inventory")
            continue
        who = [f"{m['manager']} at {m['time']}" for m in field["managers"]]
        if not who and field["last_writer"]:
            who = [f"perhaps {field['last_writer']['manager']} at {field['last_writer']['time']}"]
        by = f" ({', '.join(who)})" if who else ""
        parts.append(f"{field['path']} is {_short(field['live'])}, declared {_short(field['declared'])}{by}")
    return f"{_place(row)}: {'; '.join(parts) or 'it lacks our label'}"


def _short(value: t.Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _orphan(row: Mapping[str, t.Any]) -> str:
    more = f", deletion policy {row['deletion_policy']}" if "deletion_policy" in row else ""
    return _place(row) + more + ("" if row["applied_by_us"] else ", carries our label but was not applied by us")


def _namespace(row: Mapping[str, t.Any]) -> str:
    return f"{row['namespace']}: {row['what'] or '; '.join(c['message'] or c['type'] for c in row['conditions'])}"

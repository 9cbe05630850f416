# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to become of a machine: the first rule that fits decides, and says why. Rules are data of the inventory."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .._model.errors import Problems, Where, show, suggest
from .machine import DECISIONS, UNDECIDED, Machine, age_years
from .rows import LABEL, Row

#: What a rule can ask for.
_TEXTS = ("name", "owner", "kind", "host", "state", "os", "workload", "size", "age")
_AMOUNTS = ("cpus", "memory_gib", "disk_gib", "age_years")
_SWITCHES = ("passthrough",)
FIELDS = (*_TEXTS, *_AMOUNTS, *_SWITCHES)
_BOUNDS = ("at_least", "at_most")
_RULE = ("name", "when", "decision", "why")
_SIZE_KEYS = ("cpus", "memory_gib", "disk_gib")


@dataclass(frozen=True)
class Decision:
    """What was decided, by which rule, and on what grounds.

    @param unknown: what earlier rules asked for and nobody knows; with it, the decision may be another one.
    """

    decision: str
    rule: str
    why: str
    unknown: tuple[str, ...] = ()


def known(machine: Machine, facts: Mapping[str, t.Any], name: str) -> t.Any:
    """The value of a field of rules, or None."""
    if name.startswith(LABEL):
        return machine.labels.get(name.removeprefix(LABEL))
    if name in facts:
        return facts[name]
    if name == "passthrough":
        return bool(machine.devices)
    return getattr(machine, name) or None


def facts_of(
    machine: Machine, sizes: Mapping[str, t.Any], ages: Mapping[str, t.Any], today: datetime.date
) -> dict[str, t.Any]:
    """Its age, and the names of its size and age."""
    years = age_years(machine.created, today)
    return {"age_years": years, "age": _age(years, ages), "size": _size(machine, sizes)}


def _size(machine: Machine, sizes: Mapping[str, t.Any]) -> str | None:
    """The first size that it fits into. One whose size nobody knows has none."""
    given = {key: getattr(machine, key) for key in _SIZE_KEYS}
    for name, bounds in sizes.items():
        if any(given[key] is None for key in bounds):
            return None
        if all(given[key] <= most for key, most in bounds.items()):
            return name
    return None


def _age(years: float | None, ages: Mapping[str, t.Any]) -> str | None:
    if years is None:
        return None
    return next((name for name, most in ages.items() if most is None or years < most), None)


def decide(
    machine: Machine, facts: Mapping[str, t.Any], rules: Sequence[Mapping[str, t.Any]], row: Row | None
) -> Decision:
    """What becomes of a machine. What a person has written into a table counts before all rules."""
    if row is not None and "decision" in row.values:
        return Decision(row.values["decision"], row.source, f"{row.values['reason']} (decided in {row.source})")
    unknown: list[str] = []
    for rule in rules:
        grounds: list[str] = []
        missing: list[str] = []
        for name, wanted in (rule.get("when") or {}).items():
            value = known(machine, facts, name)
            if value is None:
                missing.append(name)
            elif _fits(value, wanted):
                grounds.append(f"{name} {'yes' if value is True else 'no' if value is False else value}")
            else:
                break
        else:
            if not missing:
                ground = f" ({', '.join(grounds)})" if grounds else ""
                return Decision(rule["decision"], rule["name"], f"{rule['why']}{ground}", tuple(unknown))
            unknown += [name for name in missing if name not in unknown]
    asked = f"not known: {', '.join(unknown)}" if unknown else "none of its values fits one"
    return Decision(UNDECIDED, "", f"No rule fits; {asked}.", tuple(unknown))


def _fits(value: t.Any, wanted: t.Any) -> bool:
    if isinstance(wanted, Mapping):
        return bool(wanted.get("at_least", value) <= value <= wanted.get("at_most", value))
    if isinstance(wanted, bool) or isinstance(value, bool):
        return bool(value is wanted)
    if isinstance(wanted, list):
        return any(_fits(value, each) for each in wanted)
    if isinstance(value, str):
        return fnmatchcase(value.lower(), str(wanted).lower())
    return bool(value == wanted)


def check(rules: t.Any, sizes: t.Any, ages: t.Any, owners: t.Any, problems: Problems) -> None:
    """Everything that is wrong with what the inventory says of decisions, sizes, ages and owners."""
    where = Where("vm_inventory_rules")
    names: set[str] = set()
    last = ""
    for index, rule in enumerate(rules):
        name = rule.get("name") if isinstance(rule, Mapping) else None
        place = where.item(index, name)
        if not isinstance(rule, Mapping):
            problems.error("vm-rule", place, f"{show(rule)} is no rule.", f"Write a mapping with {', '.join(_RULE)}.")
            continue
        if last:
            problems.error("vm-rule", place, f"is never reached: {last} fits every machine.", f"Move it before {last}.")
        for key in rule:
            if key not in _RULE:
                problems.error("vm-rule", place / str(key), "there is no such key.", suggest(key, _RULE))
        for key in ("name", "why"):
            if not isinstance(rule.get(key), str) or not rule[key].strip():
                problems.error("vm-rule", place / key, "is missing.", "Write a text; people read it at every machine.")
        if rule.get("decision") not in DECISIONS:
            what = f"{show(rule['decision'])} is no decision." if "decision" in rule else "is missing."
            problems.error("vm-rule", place / "decision", what, suggest(rule.get("decision"), DECISIONS))
        if str(name) in names:
            problems.error("vm-rule", place / "name", "another rule has this name.", "Give each its own.")
        if isinstance(name, str):
            names.add(name)
        when = rule.get("when") or {}
        if not isinstance(when, Mapping):
            problems.error("vm-rule", place / "when", "is no mapping.", "Write fields and what they have to be.")
            continue
        if not when:
            last = str(name)
        for key, wanted in when.items():
            _check_condition(place / "when" / str(key), str(key), wanted, problems)
    _check_classes(sizes, ages, problems)
    for index, each in enumerate(owners):
        place = Where("vm_inventory_owners").item(index, None)
        if not isinstance(each, Mapping) or set(each) != {"match", "owner"}:
            problems.error(
                "vm-rule", place, "has to have match and owner, and nothing else.", "match is a name with *."
            )


def _check_condition(place: Where, key: str, wanted: t.Any, problems: Problems) -> None:
    if key not in FIELDS and not key.startswith(LABEL):
        fix = suggest(key, FIELDS, limit=20) + f" Labels are {LABEL}<name>."
        problems.error("vm-rule", place, "rules cannot ask for it.", fix)
    elif key in _SWITCHES:
        if not isinstance(wanted, bool):
            problems.error("vm-rule", place, f"{show(wanted)} is neither true nor false.", "Write one of them.")
    elif key in _AMOUNTS:
        if isinstance(wanted, Mapping):
            good = bool(wanted) and all(name in _BOUNDS and _is_number(value) for name, value in wanted.items())
        else:
            good = _is_number(wanted)
        if not good:
            fix = "Write a number, or {at_least: 8}, or {at_most: 64}, or both."
            problems.error("vm-rule", place, f"{show(wanted)} is no amount.", fix)
    else:
        listed = wanted if isinstance(wanted, list) else [wanted]
        if not listed or not all(isinstance(each, (str, int, float)) and not isinstance(each, bool) for each in listed):
            problems.error(
                "vm-rule", place, f"{show(wanted)} is no text.", "Write a text, in which * stands for any, or a list."
            )


def _check_classes(sizes: t.Any, ages: t.Any, problems: Problems) -> None:
    for name, bounds in sizes.items():
        place = Where("vm_inventory_sizes") / str(name)
        if not isinstance(bounds, Mapping):
            problems.error("vm-rule", place, f"{show(bounds)} is no size.", "Write {} or the most that fits in.")
            continue
        for key, most in bounds.items():
            if key not in _SIZE_KEYS:
                problems.error("vm-rule", place / str(key), "there is no such key.", suggest(key, _SIZE_KEYS))
            elif not _is_number(most):
                problems.error(
                    "vm-rule", place / str(key), f"{show(most)} is no number.", "Write the most that fits in."
                )
    for name, most in ages.items():
        if most is not None and not _is_number(most):
            fix = "Write the years below which it counts, or null for no limit."
            problems.error("vm-rule", Where("vm_inventory_ages") / str(name), f"{show(most)} is no number.", fix)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def unused(rules: Iterable[Mapping[str, t.Any]], decided: Callable[[str], bool]) -> list[str]:
    """Rules by which nothing was decided."""
    return [rule["name"] for rule in rules if not decided(rule["name"])]

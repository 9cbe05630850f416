# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hypervisors say and what tables say, put together."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from .._model.errors import Problem, Problems, Where, show
from .machine import Machine
from .rows import Row

#: What people know better than a hypervisor; of all else the hypervisor's word counts.
_PEOPLE = ("owner", "workload", "created", "os", "note")
_FILLED = ("cpus", "memory_gib", "disk_gib", "state")


def merge(
    seen: Iterable[Machine],
    rows: Iterable[Row],
    looked: Collection[str],
    problems: Problems,
) -> tuple[list[Machine], dict[str, Row]]:
    """All machines by host and name, and the rows that belong to them, by id.

    @param seen: machines of hypervisors. One that is on two hosts, because it was moved, counts where it runs.
    @param looked: hosts that told of their machines. What a table says is on one of them and is not, is gone.
    """
    machines = _once(seen)
    by_name: dict[str, list[Machine]] = {}
    for machine in machines.values():
        by_name.setdefault(machine.name.lower(), []).append(machine)
    told: dict[str, Row] = {}
    for row in rows:
        found = _belongs(row, machines, by_name, problems)
        if found is None:
            continue
        if found == "":
            if row.values.get("host") in looked:
                what = (
                    f"{show(row.values['name'])} is not on {row.values['host']}, which was looked at; it is left out."
                )
                _warn(problems, row, "name", what, "Remove the row, or mend its name, id or host.")
                continue
            found = _alone(row, machines)
        if found in told:
            what = f"is about the same machine as {told[found].source}."
            _error(problems, row, "name", what, "Keep one of the two rows.")
            continue
        told[found] = row
        _put(machines[found], row)
    order = sorted(machines.values(), key=lambda each: (each.host, each.name, each.id))
    return order, told


def _once(seen: Iterable[Machine]) -> dict[str, Machine]:
    machines: dict[str, Machine] = {}
    for machine in seen:
        other = machines.get(machine.id)
        if other is None or (other.state != "running" and machine.state == "running"):
            machines[machine.id] = replace(machine, labels=dict(machine.labels), sources=list(machine.sources))
    return machines


def _belongs(
    row: Row, machines: Mapping[str, Machine], by_name: Mapping[str, list[Machine]], problems: Problems
) -> str | None:
    """The id of the machine that a row is about; empty when there is none, None when that was an error."""
    wanted, host = str(row.values.get("id", "")), row.values.get("host", "")
    for name in (wanted.lower(), wanted, f"{host}/{wanted}"):
        if wanted and name in machines:
            return name
    if wanted:
        return ""
    fits = [each for each in by_name.get(str(row.values["name"]).lower(), ()) if host in ("", each.host)]
    if len(fits) > 1:
        where = ", ".join(f"{each.id} on {each.host}" for each in fits)
        _error(problems, row, "name", f"{show(row.values['name'])} are several machines: {where}.", "Give its id.")
        return None
    return fits[0].id if fits else ""


def _alone(row: Row, machines: dict[str, Machine]) -> str:
    """A machine that only a table knows."""
    name, host = str(row.values["name"]), str(row.values.get("host", ""))
    key = str(row.values.get("id") or (f"{host}/{name}" if host else name))
    if key not in machines:
        machines[key] = Machine(key, name, host=host)
    return key


def _put(machine: Machine, row: Row) -> None:
    values = row.values
    for key in _PEOPLE:
        if key in values:
            setattr(machine, key, values[key].lower() if key == "os" else values[key])
    if "created" in values:
        machine.created_from = "table"
    for key in _FILLED:
        if key in values and getattr(machine, key) in (None, "unknown"):
            setattr(machine, key, values[key])
    if machine.kind == "other" and "kind" in values:
        machine.kind = values["kind"]
    if "address" in values and not machine.addresses:
        machine.addresses = str(values["address"]).replace(";", " ").split()
    machine.labels.update(row.labels)
    machine.sources.append(row.source)


def own(machines: Iterable[Machine], patterns: Iterable[Mapping[str, t.Any]]) -> None:
    """Gives machines that nobody owns to whom the first pattern for their name says."""
    rules = [(str(each["match"]).lower(), str(each["owner"])) for each in patterns]
    for machine in machines:
        if not machine.owner:
            machine.owner = next((owner for match, owner in rules if fnmatchcase(machine.name.lower(), match)), "")


def _error(problems: Problems, row: Row, column: str, what: str, fix: str) -> None:
    problems.add(Problem("vm-table", Where(column, file=row.file, line=row.line), what, fix))


def _warn(problems: Problems, row: Row, column: str, what: str, fix: str) -> None:
    problems.add(Problem("vm-table", Where(column, file=row.file, line=row.line), what, fix, "warning"))

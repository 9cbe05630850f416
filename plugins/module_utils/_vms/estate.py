# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All machines of an organisation: from answers of hypervisors and tables to decisions, and to the file and back."""

from __future__ import annotations

import datetime
import json
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .._model.errors import Problem, Problems, Where, show, visible
from . import virsh, vzlist
from .look import END, sections
from .machine import Machine, machine_of
from .merge import merge, own
from .rows import Row
from .rules import Decision, decide, facts_of

PLUGIN = "k8s.self_provisioning.vm_inventory"
_NOTE = "Written by the role vm_inventory; changes are lost."


@dataclass
class Seen:
    """What a hypervisor told last, and when that was."""

    looked: str
    machines: list[Machine] = field(default_factory=list)


def answer(host: str, output: str, problems: Problems) -> list[Machine] | None:
    """The machines that a hypervisor told of; nothing when it did not tell of all.

    @param output: what the script of the role printed there.
    """
    told = sections(output)
    if not told or told[-1].title != [END]:
        last = (output.strip().splitlines() or [""])[-1].strip() or "nothing came"
        _warn(problems, host, f"its answer breaks off: {last}", "Log in, and look whether sudo, virsh and vzlist work.")
        return None
    programs = {section.title[0] for section in told} & {"libvirt", "vzlist"}
    if not programs:
        fix = "Install libvirt-clients or vzctl there, or take the host out of the group."
        _warn(problems, host, "it has neither virsh nor vzlist.", fix)
        return None
    broken = [section for section in told if section.title[0] in programs and section.failed]
    for section in broken:
        why = section.errors[-1] if section.errors else "no reason given"
        _warn(problems, host, f"{section.title[0]} does not list its machines: {why}.", "Try it there as root.")
    if broken:
        return None
    found: list[Machine] = []
    for read in (virsh.machines, vzlist.machines):
        machines, wrong = read(host, told)
        found += machines
        for each in wrong:
            _warn(problems, host, each, "What is not known is left empty; a table can say it.")
    return found


def _warn(problems: Problems, host: str, what: str, fix: str) -> None:
    problems.add(Problem("vm-host", Where("hypervisor", host=host), visible(what), fix, "warning"))


def decided(
    seen: Mapping[str, Seen],
    rows: Sequence[Row],
    looked: Sequence[str],
    settings: Mapping[str, t.Any],
    problems: Problems,
) -> list[dict[str, t.Any]]:
    """Every machine with what is to become of it.

    @param settings: rules, sizes, ages and owners of the inventory, and today.
    """
    machines, told = merge([each for host in seen.values() for each in host.machines], rows, looked, problems)
    own(machines, settings["owners"])
    found = []
    for machine in machines:
        facts = facts_of(machine, settings["sizes"], settings["ages"], settings["today"])
        decision = decide(machine, facts, settings["rules"], told.get(machine.id))
        found.append({**machine.row(), **facts, **_said(decision)})
    return found


def _said(decision: Decision) -> dict[str, t.Any]:
    return {
        "decision": decision.decision,
        "decision_rule": decision.rule,
        "decision_why": decision.why,
        "decision_unknown": list(decision.unknown),
    }


def text(machines: Sequence[Mapping[str, t.Any]], seen: Mapping[str, Seen], construct: Mapping[str, t.Any]) -> str:
    """The inventory file: JSON, which is YAML as well, with a line for each machine."""

    def line(value: t.Any) -> str:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    def listed(rows: Sequence[t.Any]) -> str:
        return "[" + ",".join(f"\n  {line(row)}" for row in rows) + "\n ]"

    parts = [f' "plugin": {line(PLUGIN)}', f' "note": {line(_NOTE)}']
    parts += [f" {line(key)}: {line(value)}" for key, value in sorted(construct.items())]
    # the age in years is another one each month; the file only has what it is called
    parts.append(' "machines": ' + listed([{k: v for k, v in each.items() if k != "age_years"} for each in machines]))
    hosts = []
    for host, each in sorted(seen.items()):
        told = listed([one.row() for one in each.machines])
        hosts.append(f'\n {line(host)}: {{"looked": {line(each.looked)}, "machines": {told}}}')
    parts.append(' "seen": {' + ",".join(hosts) + "}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def restored(content: str, file: str) -> dict[str, Seen]:
    """What hypervisors told when the file was written.

    @raises ValueError: it is not such a file.
    """
    try:
        data = json.loads(content)
        if data["plugin"] != PLUGIN:
            raise ValueError
        return {
            str(host): Seen(str(each["looked"]), [machine_of(row) for row in each["machines"]])
            for host, each in data["seen"].items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        fix = "Move it away, or choose another vm_inventory_file."
        raise ValueError(f"{show(file)} was not written by this role, or has been changed. {fix}") from None


def day(text_of_day: str) -> datetime.date:
    return datetime.date.fromisoformat(text_of_day)

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the machines of hypervisors and tables together; see the module of the same name."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.finding import reason
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.reading import Unreadable, read_text
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import (
    Problem,
    Problems,
    Where,
    visible,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import vms as report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._vms import estate, rows, rules
from ansible_collections.k8s.self_provisioning.plugins.module_utils._vms.machine import DECISIONS, UNDECIDED
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _private_file
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import ControllerAction

_CONSTRUCT = {
    "prefix": {"type": "str"},
    "strict": {"type": "bool"},
    "compose": {"type": "dict"},
    "groups": {"type": "dict"},
    "keyed_groups": {"type": "list", "elements": "dict"},
}
SPEC: dict[str, t.Any] = {
    "file": {"type": "path", "required": True},
    "looks": {"type": "dict", "default": {}},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "tables": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "columns": {"type": "dict", "default": {}},
            "delimiter": {"type": "str", "default": ""},
        },
    },
    "rules": {"type": "list", "elements": "raw", "default": []},
    "owners": {"type": "list", "elements": "raw", "default": []},
    "sizes": {"type": "dict", "default": {}},
    "ages": {"type": "dict", "default": {}},
    "construct": {"type": "dict", "options": _CONSTRUCT},
    "today": {"type": "str", "default": ""},
    "report": {"type": "str", "choices": ["none", "summary"], "default": "summary"},
}
_ALL = (*DECISIONS, UNDECIDED)


class ActionModule(ControllerAction):
    """Runs on the controller; opens no connection."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _result, given = self.validate_argument_spec(SPEC)
        arguments: dict[str, t.Any] = plain(given)
        if not arguments["file"]:
            raise AnsibleActionFail("vm_inventory_file is not set. Give the path of the inventory file to write.")
        problems = Problems()
        today = _today(arguments["today"])
        rules.check(arguments["rules"], arguments["sizes"], arguments["ages"], arguments["owners"], problems)
        listed, notes = self._tables(arguments["tables"], problems)
        before, seen = self._before(Path(arguments["file"]), arguments["hosts"], problems)
        looked = self._look(arguments, seen, today, problems)
        settings = {**{key: arguments[key] for key in ("rules", "owners", "sizes", "ages")}, "today": today}
        if any(each.code == "vm-rule" for each in problems.errors):
            settings["rules"] = settings["owners"] = []  # what is wrong with machines is told all the same
            settings["sizes"] = settings["ages"] = {}
        machines = estate.decided(seen, listed, looked, settings, problems)
        errors, warnings = ([each.render(_place) for each in group] for group in (problems.errors, problems.warnings))
        told = [each.as_dict(_place) for each in problems]
        spoken = arguments["report"] == "summary"
        if spoken and told:
            self.say(report.problems(errors, warnings))
        if errors:
            place = "listed above" if spoken else "see problems"
            what = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
            return {"failed": True, "changed": False, "problems": told, "msg": f"Nothing was written: {what}, {place}."}
        result = _counted(machines, arguments)
        if spoken:
            self.say(report.summary(machines, result["tables"], result["rules"], notes))
        construct = {key: value for key, value in (arguments["construct"] or {}).items() if value is not None}
        after = estate.text(machines, seen, construct)
        return {**result, "machines": machines, "problems": told, **self._write(Path(arguments["file"]), before, after)}

    def _tables(self, tables: list[dict[str, t.Any]], problems: Problems) -> tuple[list[rows.Row], list[str]]:
        found: list[rows.Row] = []
        notes: list[str] = []
        for table in tables:
            path = table["path"]
            try:
                content = read_text(Path(self._loader.path_dwim(path)))
            except Unreadable as error:
                problems.add(Problem("vm-table", Where("table", file=path), str(error), error.fix))
                continue
            read = rows.read(path, content, table["columns"], table["delimiter"], problems)
            found += read.rows
            if read.unused:
                names = ", ".join(visible(name) for name in read.unused)
                notes.append(f"{path}: nothing is made of {names}; name columns of ours in columns, or label.<name>.")
        return found, notes

    def _before(self, path: Path, hosts: list[str], problems: Problems) -> tuple[str, dict[str, estate.Seen]]:
        """The file as it is, and what hypervisors that are still in the inventory had told."""
        if not path.exists():
            return "", {}
        try:
            content = path.read_text(encoding="utf-8")
            seen = estate.restored(content, str(path))
        except (OSError, UnicodeDecodeError, ValueError) as error:
            problems.add(Problem("vm-file", Where("vm_inventory_file"), str(error)))
            return "", {}
        return content, {host: each for host, each in seen.items() if host in hosts}

    def _look(
        self, arguments: Mapping[str, t.Any], seen: dict[str, estate.Seen], today: datetime.date, problems: Problems
    ) -> list[str]:
        """Puts what hypervisors tell into I(seen), and returns those that told of all they have."""
        looked = []
        for host, look in arguments["looks"].items():
            if not isinstance(look, Mapping) or look.get("skipped"):
                continue
            machines = None
            if "stdout" in look and not (look.get("unreachable") or look.get("failed")):
                machines = estate.answer(host, str(look["stdout"]), problems)
            else:
                why = reason({"msg": look.get("stderr") or look.get("stdout") or look.get("msg")})
                fix = "Check its address, ansible_user and key, and sudo."
                where = Where("hypervisor", host=host)
                problems.add(Problem("vm-host", where, f"it cannot be looked at: {why}", fix, "warning"))
            if machines is not None:
                looked.append(host)
                seen[host] = estate.Seen(today.isoformat(), machines)
            elif host in seen:
                last = f"its {len(seen[host].machines)} machines are those of {seen[host].looked}."
                problems.add(Problem("vm-host", Where("hypervisor", host=host), last, "", "warning"))
        return looked

    def _write(self, path: Path, before: str, after: str) -> dict[str, t.Any]:
        check = bool(self._task.check_mode)
        if not check:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise AnsibleActionFail(f"{path.parent} cannot be made: {error.strerror}.") from None
        changed = before != after
        if changed:
            _private_file.write(path, after, mode=0o644, check=check)
        result: dict[str, t.Any] = {"changed": changed, "file": str(path)}
        if self._task.diff:
            result["diff"] = [
                {"before_header": str(path), "after_header": str(path), "before": before, "after": after},
            ]
        return result


def _today(text: str) -> datetime.date:
    if not text:
        return datetime.datetime.now(datetime.timezone.utc).date()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise AnsibleActionFail(f"today: {text!r} is no day. Write it like 2026-11-21.") from None


def _place(where: Where) -> tuple[str, int]:
    return where.file, where.line


def _counted(machines: list[dict[str, t.Any]], arguments: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The tables, and how many machines each rule has decided."""
    orders: dict[str, list[str]] = {"owner": [], "size": list(arguments["sizes"]), "age": list(arguments["ages"])}
    tables = {key: report.ordered(report.groups(machines, key, _ALL), key, order) for key, order in orders.items()}
    by_rule: dict[str, int] = {}
    for each in machines:
        by_rule[each["decision_rule"]] = by_rule.get(each["decision_rule"], 0) + 1
    decided = [
        {"name": rule["name"], "decision": rule["decision"], "why": rule["why"], "vms": by_rule.pop(rule["name"], 0)}
        for rule in arguments["rules"]
    ]
    undecided = by_rule.pop("", 0)
    people = sum(by_rule.values())
    if people:
        decided.insert(0, {"name": "(a table)", "decision": "", "why": "Somebody has decided it.", "vms": people})
    if undecided:
        decided.append({"name": "(none)", "decision": UNDECIDED, "why": "No rule fits.", "vms": undecided})
    return {"tables": tables, "rules": decided}

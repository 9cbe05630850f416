# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the fleet tree; see the module of the same name."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import Folder
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import changes as change_report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import fleet as report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import commit, deliver, paths
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.record import record_placements
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction, without_gc

SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "clusters": {"type": "list", "elements": "str", "default": []},
    "commit": {"type": "bool", "default": False},
    "init": {"type": "bool", "default": False},
    "push": {"type": "bool", "default": False},
    "remote": {"type": "str", "default": "origin"},
    "branch": {"type": "str", "default": "main"},
    "author_name": {"type": "str", "default": "k8s.self_provisioning"},
    "author_email": {"type": "str", "default": "self-provisioning@localhost"},
    "record_placements": {"type": "bool", "default": False},
    "lock_timeout": {"type": "int", "default": 60},
    "report": {"type": "str", "choices": ["none", "plan", "summary"], "default": "none"},
}


class ActionModule(FleetAction):
    """Compiles the inventory and brings the tree in line with it."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments = self.arguments(SPEC)
        clock = _Clock()
        compile_with, folder = self.gather(arguments, task_vars or {})
        clock.lap("gather")
        spoken = arguments["report"] != "none"

        def compile_checked(recorded: Mapping[str, t.Any]) -> Fleet:
            clock.lap("open")
            fleet = compile_with(recorded)
            if spoken:
                self.say(report.problems(fleet.problems, folder.locate))
            self.refuse(fleet.problems, folder, spoken=spoken)
            _check_clusters(arguments["clusters"], fleet)
            clock.lap("compile")
            return fleet

        check = bool(self._task.check_mode)
        root = Path(arguments["path"]).absolute()
        before = change_report.months(root / paths.LEDGER)
        try:
            with without_gc():
                outcome = deliver.deliver(
                    root,
                    compile_checked,
                    check=check,
                    diff=bool(self._task.diff),
                    git=_git(arguments),
                    wait=arguments["lock_timeout"],
                    clusters=arguments["clusters"],
                )
            recorded = record_placements(outcome.fleet, folder, check=check) if arguments["record_placements"] else []
        except TreeError as error:
            raise AnsibleActionFail(str(error)) from None
        clock.lap("write and commit")
        if arguments["report"] == "plan":
            self.say(change_report.plan(outcome, before, root))
        elif arguments["report"] == "summary":
            self.say(change_report.summary(outcome, before, root))
        return _result(outcome, folder, recorded, clock.seconds)


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = round(now - self._last, 3)
        self._last = now


def _check_clusters(names: list[str], fleet: Fleet) -> None:
    unknown = [name for name in names if name not in fleet.clusters]
    if unknown:
        raise AnsibleActionFail(f"clusters: there is no cluster {unknown[0]!r}. {suggest(unknown[0], fleet.clusters)}")


def _git(arguments: Mapping[str, t.Any]) -> commit.Options | None:
    if not arguments["commit"]:
        return None
    return commit.Options(
        init=arguments["init"],
        branch=arguments["branch"],
        name=arguments["author_name"],
        email=arguments["author_email"],
        remote=arguments["remote"] if arguments["push"] else "",
    )


def _result(
    outcome: deliver.Outcome, folder: Folder, recorded: list[str], timings: dict[str, float]
) -> dict[str, t.Any]:
    tree = outcome.tree
    if tree is None:
        raise AnsibleActionFail("The inventory has errors.")
    result: dict[str, t.Any] = {
        "changed": outcome.changed or bool(recorded),
        "created": tree.created,
        "updated": tree.updated,
        "repaired": tree.repaired,
        "removed": tree.removed,
        "foreign": tree.foreign,
        "unchanged": len(tree.unchanged),
        "recorded": recorded,
        "message": outcome.message,
        "commit": outcome.commit,
        "pushed": outcome.pushed,
        "warnings_found": [p.render(folder.locate) for p in outcome.fleet.problems.warnings],
        "timings": timings,
    }
    if tree.diff:
        result["diff"] = {"prepared": tree.diff}
    return result

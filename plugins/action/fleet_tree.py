# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the fleet tree; see the module of the same name."""

from __future__ import annotations

import os
import time
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._collector import without_gc
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import Folder
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import show
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.foundation import versions_in
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import account
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import changes as change_report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import fleet as report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import commit, deliver, paths
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.brake import Brake
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.record import Recording
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import check_known
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import display
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import NO_TREE, FleetAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._released import MANIFESTS, parsed

SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "clusters": {"type": "list", "elements": "str", "default": []},
    "commit": {"type": "bool", "default": False},
    "init": {"type": "bool", "default": False},
    "push": {"type": "bool", "default": False},
    "remote": {"type": "str", "default": "origin"},
    "branch": {"type": "str", "default": ""},
    "author_name": {"type": "str", "default": ""},
    "author_email": {"type": "str", "default": ""},
    "prune_limit": {"type": "str", "default": "30%"},
    "confirm_deletion": {"type": "list", "elements": "str", "default": []},
    "record_placements": {"type": "bool", "default": False},
    "lock_timeout": {"type": "int", "default": 60},
    "manifests": MANIFESTS,
    "report": {"type": "str", "choices": ["none", "plan", "summary"], "default": "none"},
}


class ActionModule(FleetAction):
    """Compiles the inventory and brings the tree in line with it."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments = self.arguments(SPEC)
        clock = _Clock()
        variables = task_vars or {}
        root = self._root(arguments, variables)
        if self._task.check_mode and not arguments["init"] and not root.is_dir():
            display.warning(NO_TREE.format(root), formatted=True)
        git, brake = _checked(arguments)
        released = _released(arguments)
        compile_with, folder = self.gather(arguments, variables)
        clock.lap("gather")
        spoken = arguments["report"] != "none"
        check = bool(self._task.check_mode)
        recording = Recording(folder.defined if arguments["record_placements"] else {}, check=check)

        def compile_checked(recorded: Mapping[str, t.Any]) -> Fleet:
            clock.lap("open")
            fleet = compile_with(recorded)
            if spoken:
                self.say(report.problems(fleet.problems, folder.locate))
            self.refuse(fleet.problems, folder, spoken=spoken)
            check_known("clusters", "cluster", arguments["clusters"], fleet.clusters)
            recording.prepare(fleet)
            clock.lap("compile")
            return fleet

        before = account.read(root / paths.LEDGER)
        try:
            with recording, without_gc():
                outcome = deliver.deliver(
                    root,
                    compile_checked,
                    check=check,
                    diff=bool(self._task.diff),
                    git=git if arguments["commit"] else None,
                    wait=arguments["lock_timeout"],
                    clusters=arguments["clusters"],
                    brake=brake,
                    released=released,
                )
                recorded = recording.finish()
        except TreeError as error:
            raise AnsibleActionFail(str(error)) from None
        clock.lap("deliver")
        result = _result(outcome, folder, recorded, clock.seconds)
        if spoken and not self._task.no_log:
            # Ansible prints the diff of a result after everything else; what sums it up has to be the last
            self.say([result.pop("diff", {}).get("prepared", "")])
        run = change_report.Run(check, arguments["clusters"], recorded)
        if arguments["report"] == "plan":
            self.say(change_report.plan(outcome, before, root, run))
        elif arguments["report"] == "summary":
            self.say(change_report.summary(outcome, before, root, run))
        for problem in (*outcome.waiting, *outcome.warnings):
            display.warning(problem, formatted=True)
        for refusal in outcome.refusals:
            display.warning(f"A real run would stop here. {refusal}", formatted=True)
        return result

    def _root(self, arguments: Mapping[str, t.Any], variables: Mapping[str, t.Any]) -> Path:
        """The folder of the tree.

        @raises AnsibleActionFail: it is none that can be meant.
        """
        given, text = self._task.args.get("path"), arguments["path"]
        # the argument specification turns anything into text
        if not isinstance(given, (str, os.PathLike)):
            raise AnsibleActionFail(f"path: it has to be text, the folder of the tree, and not {show(plain(given))}.")
        if not text.strip():
            raise AnsibleActionFail("path: it is empty. Give the folder of the tree, such as /srv/fleet.")
        root = Path(text)
        if not root.is_absolute():
            raise AnsibleActionFail(
                f"path: {text!r} is relative, and a run may start in any folder. Write the whole path, such as "
                f"{root.absolute()}."
            )
        for inventory in _read_by_ansible(arguments, variables):
            if root.resolve().is_relative_to(inventory):
                raise AnsibleActionFail(
                    f"path: {root} lies in the inventory, and Ansible would read the tree's files as part of it. "
                    f"Choose a folder outside {inventory}."
                )
        return root


def _read_by_ansible(arguments: Mapping[str, t.Any], variables: Mapping[str, t.Any]) -> Iterator[Path]:
    """The folders in which Ansible takes every file for a part of the inventory."""
    for name in (arguments["inventory"] or "", *(variables.get("ansible_inventory_sources") or ())):
        if not name:
            continue
        source = Path(str(name)).resolve()
        if source.is_dir():
            yield source
        elif source.exists():
            yield from (source.parent / below for below in ("group_vars", "host_vars"))


def _released(arguments: Mapping[str, t.Any]) -> dict[tuple[str, str], str]:
    """The given manifests, by service and by every version that they could be of."""
    found = {}
    for each in arguments["manifests"]:
        try:
            text, objects = parsed(each, each["manifest"])
        except LiveError as error:
            raise AnsibleActionFail(f"manifests: {error}") from None
        found.update({(each["service"], version): text for version in versions_in(objects)})
    return found


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = round(now - self._last, 3)
        self._last = now


def _checked(arguments: Mapping[str, t.Any]) -> tuple[commit.Options, Brake]:
    """How to commit and how much may be removed.

    @raises AnsibleActionFail: an option cannot be meant so. All such options are named.
    """
    wrong = [
        f"{option}: it needs commit=true, {why}. Turn commit on, or {option} off."
        for option, why in (("init", "a repository is made for the commit"), ("push", "only commits can be pushed"))
        if arguments[option] and not arguments["commit"]
    ]
    if arguments["lock_timeout"] < 0:
        wrong.append(f"lock_timeout: {arguments['lock_timeout']} is no time to wait. Give 0 or more seconds.")
    brake = Brake()
    try:
        brake = Brake(arguments["prune_limit"], arguments["confirm_deletion"])
    except TreeError as error:
        wrong.append(str(error))
    # whether they are used or not, so that a fault does not wait for the day on which they are
    checked: dict[str, t.Any] = {
        "branch": arguments["branch"],
        "name": arguments["author_name"],
        "email": arguments["author_email"],
        "remote": arguments["remote"],
    }
    for key, value in checked.items():
        try:
            commit.Options(**{key: value})
        except TreeError as error:
            wrong.append(str(error))
    if arguments["push"] and not arguments["remote"]:
        wrong.append("remote: it is empty, and push needs one. Give the name of a remote or its address.")
    if wrong:
        raise AnsibleActionFail("Nothing was written. " + "\n".join(wrong))
    used = {**checked, "init": arguments["init"], "remote": arguments["remote"] if arguments["push"] else ""}
    return commit.Options(**used), brake


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
        "committed": outcome.committed,
        "pushed": outcome.pushed,
        "left_out": outcome.left_out,
        "refusals": outcome.refusals,
        "warnings_found": [p.render(folder.locate) for p in outcome.fleet.problems.warnings],
        "timings": timings,
        # thousands of paths are for register, not for -v
        "_ansible_verbose_override": True,
    }
    if tree.diff:
        result["diff"] = {"prepared": tree.diff}
    return result

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on a whole fleet have in common: their inventory, their day, their way of talking.

Private to the collection.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._collector import without_gc
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import Folder, read_source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError, Problem, show
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import fleet as report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import placements
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import ControllerAction, display
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._gather import gather

#: Options that every fleet action has.
COMMON: dict[str, t.Any] = {
    "inventory": {"type": "path"},
    "today": {"type": "str"},
}


NO_TREE = (
    "There is no fleet tree in {}, so every placement that no tenant file declares is decided anew. "
    "Correct the path, unless this is to be the first run."
)


class FleetAction(ControllerAction):
    """Compiles the inventory; opens no connection."""

    def arguments(self, spec: Mapping[str, t.Any]) -> dict[str, t.Any]:
        _result, arguments = self.validate_argument_spec({**COMMON, **spec})
        return t.cast("dict[str, t.Any]", plain(arguments))

    def progress(self, name: str) -> Callable[[str], None]:
        """Says of a cluster what the run waits for."""
        return lambda text: self.say([f"{name}: {text}"])

    def gather(
        self, arguments: Mapping[str, t.Any], task_vars: Mapping[str, t.Any]
    ) -> tuple[Callable[[Mapping[str, t.Any]], Fleet], Folder]:
        """What compiles the fleet, given recorded placements, and where to find its values.

        @raises AnsibleActionFail: the inventory folder or the day cannot be used.
        """
        try:
            with without_gc():
                source, folder = self._source(arguments, task_vars)
            today = day(arguments.get("today"))
        except ModelError as error:
            raise AnsibleActionFail(str(error)) from None

        def compile_with(recorded: Mapping[str, t.Any]) -> Fleet:
            with without_gc():
                fleet = compile_fleet(source, today=today, recorded=recorded)
            folder.precede(fleet.problems)
            return fleet

        return compile_with, folder

    def fleet(self, arguments: Mapping[str, t.Any], task_vars: Mapping[str, t.Any]) -> Fleet:
        """The fleet with the placements that its tree, C(tree) of the arguments if there is one, has on record.

        @raises AnsibleActionFail: the inventory or the recorded placements have errors.
        """
        compile_with, folder = self.gather(arguments, task_vars)
        try:
            fleet = compile_with(self.recorded(arguments.get("tree")))
        except TreeError as error:
            raise AnsibleActionFail(str(error)) from None
        self.refuse(fleet.problems, folder, spoken=False)
        return fleet

    def recorded(self, tree: str | None) -> Mapping[str, t.Any]:
        """The placements that a fleet tree has on record.

        @raises TreeError: they cannot be read.
        """
        if tree and not Path(tree).is_dir():
            display.warning(NO_TREE.format(tree), formatted=True)
        return placements.read(tree) if tree else {}

    def _source(self, arguments: Mapping[str, t.Any], task_vars: Mapping[str, t.Any]) -> tuple[Source, Folder]:
        if arguments.get("inventory"):
            return read_source(Path(arguments["inventory"]).absolute())
        groups = task_vars.get("groups") or {}
        if not groups.get("clusters"):
            raise ModelError(
                "the inventory has no host in the group 'clusters', so there is no fleet. Run with -i and an inventory "
                "that has this group, one host per cluster."
            )
        hostvars = task_vars["hostvars"]
        clusters = [str(host) for host in groups["clusters"]]
        return gather(hostvars, clusters, task_vars)

    def refuse(self, problems: Iterable[Problem], folder: Folder, *, spoken: bool) -> None:
        """Fails when a problem is an error.

        @param spoken: the problems have been shown already.
        """
        errors = [p for p in problems if p.severity == "error"]
        if errors:
            count = f"{len(errors)} error{'s' if len(errors) != 1 else ''}"
            told = "listed above." if spoken else "namely:\n" + "\n".join(report.problems(errors, folder.locate))
            raise AnsibleActionFail(f"Nothing was written: the inventory has {count}, {told}")


def day(text: object) -> datetime.date:
    """The day for which a fleet is compiled: by default today in UTC.

    @raises ModelError: it is not a day.
    """
    if not text:
        return datetime.datetime.now(datetime.timezone.utc).date()
    try:
        return datetime.date.fromisoformat(str(text))
    except ValueError:
        raise ModelError(f"today: {show(text)} is not a day. Write it as YYYY-MM-DD.") from None


def describe(fleet: Fleet) -> dict[str, t.Any]:
    """A compiled fleet as plain values, for playbooks."""
    return {
        "clusters": {
            name: {
                "stage": cluster.stage,
                "release_line": cluster.release_line,
                "delivery": cluster.delivery,
                "environments": [e.key for e in fleet.on_cluster(name)],
            }
            for name, cluster in fleet.clusters.items()
        },
        "environments": {e.key: environment_facts(e) for e in fleet.environments},
        "retained": {
            each.key: {
                "namespace": each.namespace,
                "clusters": list(each.clusters),
                "since": each.since,
                "deletion_policy": each.deletion_policy,
                "quota": {key: str(amount) for key, amount in each.quota.items()},
            }
            for each in fleet.retained
        },
        "ledger": fleet.ledger,
    }


def environment_facts(environment: t.Any) -> dict[str, t.Any]:
    """Effective values of an environment, where each comes from, its quota, and its placement."""
    placement = environment.placement
    return {
        "tenant": environment.tenant.id,
        "project": environment.project.id,
        "environment": environment.name,
        "namespace": environment.namespace,
        "values": environment.values,
        "provenance": {
            ".".join(path): [where.text for where in places]
            for path, places in environment.effective.provenance.items()
        },
        "quota": {key: str(amount) for key, amount in environment.quota.items()},
        "placement": placement
        and {
            "clusters": list(placement.clusters),
            "origin": placement.origin,
            "reason": placement.reason,
            "decided_at": placement.decided_at,
            "candidates": [
                {
                    "cluster": c.cluster,
                    "free_share": c.free_share,
                    "rule": c.rejection.rule if c.rejection else "",
                    "detail": c.rejection.detail if c.rejection else "",
                }
                for c in placement.candidates
            ],
        },
    }

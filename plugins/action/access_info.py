# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells who can do what where, and checks it against the clusters; see the module of the same name."""

from __future__ import annotations

import difflib
import typing as t
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.reviews import ask
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import access, access_checks
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import check_known, check_parallel
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._private_file import write

SPEC: dict[str, t.Any] = {
    "tree": {"type": "path"},
    "subject": {"type": "str"},
    "clusters": {"type": "list", "elements": "str", "default": []},
    "csv": {"type": "path"},
    "verify": {"type": "bool", "default": False},
    "kubeconfigs": {"type": "dict", "default": {}},
    "pairs": {"type": "int", "default": 5000},
    "parallel": {"type": "int", "default": 8},
    "report": {"type": "str", "choices": ["none", "table"], "default": "none"},
}
_MOST_CLUSTERS = 4
_YES, _NO, _NOT = "yes", "NO", "not checked"
_SHOWN = 20
_NEAREST = 5


class ActionModule(FleetAction):
    """Runs on the controller. Changes nothing on any cluster."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments = self.arguments(SPEC)
        check_parallel(arguments["parallel"])
        if arguments["pairs"] < 0:
            raise AnsibleActionFail("pairs: give a number that is not negative.")
        fleet = self.fleet(arguments, task_vars or {})
        chosen = arguments["clusters"] or sorted(fleet.clusters)
        check_known("clusters", "cluster", chosen, fleet.clusters)
        everything = [row for name in chosen for row in access.rows(fleet, cluster=name)]
        if arguments["subject"]:
            _check_subject(fleet, arguments["subject"], everything)
        verified = self._verify(fleet, chosen, everything, arguments) if arguments["verify"] else {}
        wanted = set(map(id, everything))
        if arguments["subject"]:
            wanted = {id(row) for row in everything if access.is_subject(row, arguments["subject"])}
        rows = [row for row in everything if id(row) in wanted]
        changed = False
        if arguments["csv"]:
            text = access.as_csv(rows)
            changed = write(Path(arguments["csv"]), text, mode=0o640, check=bool(self._task.check_mode))
        if arguments["report"] == "table":
            told = access.as_table(rows)
            if arguments["subject"] and not rows:
                told = [f"{arguments['subject']} has no right on {', '.join(chosen)}."]
            self.say([*told, *_summary(verified)])
        result: dict[str, t.Any] = {"changed": changed, "rows": rows, "verified": verified}
        failures = _failures(verified)
        if failures:
            more = f"\n... and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
            result.update(
                failed=True, msg="The clusters differ from the report:\n" + "\n".join(failures[:_SHOWN]) + more
            )
        return result

    def _verify(
        self, fleet: Fleet, chosen: list[str], rows: list[access.Row], arguments: Mapping[str, t.Any]
    ) -> dict[str, dict[str, t.Any]]:
        """What each cluster says. One that cannot be asked does not keep the others from being asked."""

        def one(name: str) -> dict[str, t.Any]:
            try:
                return _verify_one(fleet, name, rows, arguments)
            except LiveError as error:
                return {"error": str(error), "checks": 0, "mismatches": [], "scope": "nothing", "sampled": False}

        with ThreadPoolExecutor(max_workers=_MOST_CLUSTERS) as pool:
            return dict(zip(chosen, pool.map(one, chosen), strict=True))


def _check_subject(fleet: Fleet, subject: str, rows: list[access.Row]) -> None:
    """@raises AnsibleActionFail: the inventory gives no right to anybody of this name, on any cluster."""
    if any(access.is_subject(row, subject) for row in rows):
        return
    everywhere = access.rows(fleet)
    if any(access.is_subject(row, subject) for row in everywhere):
        return
    names = {row["subject_name"] for row in everywhere}
    near = difflib.get_close_matches(subject.rpartition("/")[2], sorted(names), n=_NEAREST)
    like = f"The nearest are {', '.join(near)}." if near else "No name is like it."
    raise AnsibleActionFail(
        f"subject: the inventory gives nobody of the name {subject!r} a right, on any cluster. {like} Write the name "
        f"alone, kind/name such as Group/physics-leads, or namespace/name of a ServiceAccount."
    )


def _verify_one(fleet: Fleet, name: str, rows: list[access.Row], arguments: Mapping[str, t.Any]) -> dict[str, t.Any]:
    given = arguments["kubeconfigs"].get(name) or fleet.clusters[name].get("kubeconfig")
    if not given:
        raise LiveError(name, "no kubeconfig of it is known.", "Add it to kubeconfigs, or leave the cluster out.")
    policies = fleet.settings.policies
    plan = access_checks.plan(
        rows,
        name,
        [environment.namespace for environment in fleet.on_cluster(name)],
        platform={*policies.get("platform_users", ()), *policies.get("platform_groups", ())},
        limit=arguments["pairs"],
    )
    with Session.open(Access.of({}, given), parallel=arguments["parallel"]) as session:
        verdicts = ask(session, [check.spec for check in plan.checks], arguments["parallel"])
    found = []
    for row in rows:
        if row["cluster"] == name:
            row[access.VERIFIED] = _NOT
    marks: dict[tuple[str, ...], str] = {}
    for check, verdict in zip(plan.checks, verdicts, strict=True):
        right = verdict.allowed is check.expected
        if not right:
            found.append(access_checks.mismatch(check, verdict.allowed, verdict.reason))
        if check.row >= 0:
            key = access_checks.place(rows[check.row])
            marks[key] = _YES if right and marks.get(key, _YES) == _YES else _NO
    for row in rows:
        row_mark = marks.get(access_checks.place(row))
        if row_mark:
            row[access.VERIFIED] = row_mark
    return {
        "error": "",
        "checks": len(plan.checks),
        "mismatches": found,
        "scope": plan.scope,
        "sampled": plan.sampled < plan.pairs,
    }


def _failures(verified: Mapping[str, Mapping[str, t.Any]]) -> list[str]:
    lines = [f"{name}: not checked: {each['error']}" for name, each in verified.items() if each["error"]]
    return lines + [f"{name}: {m['text']}" for name, each in verified.items() for m in each["mismatches"]]


def _summary(verified: Mapping[str, Mapping[str, t.Any]]) -> list[str]:
    return [
        f"{name}: {each['checks']} questions, {len(each['mismatches'])} answers differ. Checked: {each['scope']}."
        for name, each in verified.items()
    ]

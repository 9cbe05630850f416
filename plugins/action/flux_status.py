# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what Flux has made of the fleet tree; see the module of the same name."""

from __future__ import annotations

import datetime
import json
import time
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.flux import GOOD, flux_state
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import flux as report
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import ClusterAction, way
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._private_file import write

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "tree": {"type": "path"},
    "tenants": {"type": "list", "elements": "str", "default": []},
    "commit": {"type": "str"},
    "wait_timeout": {"type": "int", "default": 0},
    "fail_on": {"type": "str", "choices": ["nothing", "platform", "anything"], "default": "nothing"},
    "json": {"type": "path"},
    "report": {"type": "str", "choices": ["none", "table", "json"], "default": "none"},
}
#: Seconds between two looks; longer and longer, as each reads all of Flux's objects.
_PAUSE, _LONGEST_PAUSE, _LONGER = 1.0, 15.0, 1.3


class ActionModule(ClusterAction):
    """Runs on the controller and only reads."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments, fleet, cluster = self.prepared(SPEC, task_vars or {})
        try:
            if cluster.delivery != "gitops":
                raise LiveError(
                    "cluster_delivery", "it is 'live': Flux does not serve this cluster.", "Use tenants_info."
                )
            with Session.open(way(arguments, cluster.get("kubeconfig"))) as session:
                state = _waited(session, fleet, cluster.name, arguments)
        except LiveError as error:
            raise AnsibleActionFail(f"{cluster.name}: {error}") from None
        judged = _judged(state, arguments)
        verdict = report.failure(state, judged) if judged else ""
        result: dict[str, t.Any] = {"changed": False, **state, "verdict": verdict}
        text = json.dumps(state, indent=1, sort_keys=True) + "\n"
        if arguments["report"] != "none":
            self.say(report.summary(state) if arguments["report"] == "table" else [text])
        if arguments["json"]:
            result["changed"] = write(Path(arguments["json"]), text, mode=0o644, check=bool(self._task.check_mode))
        if judged:
            result.update(failed=True, msg=verdict)
        return result


def _waited(session: Session, fleet: Fleet, name: str, arguments: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Looks until everything is as committed and as I(fail_on) wants it, or the time is over."""
    end, pause = time.monotonic() + arguments["wait_timeout"], _PAUSE
    while True:
        now = datetime.datetime.now(datetime.timezone.utc)
        state = flux_state(session, fleet, name, now, tenants=arguments["tenants"])
        left = end - time.monotonic()
        if (state["healthy"] and not _judged(state, arguments)) or left <= 0:
            return state
        time.sleep(min(pause, left))
        pause = min(pause * _LONGER, _LONGEST_PAUSE)


def _judged(state: Mapping[str, t.Any], arguments: Mapping[str, t.Any]) -> list[Mapping[str, t.Any]]:
    """What is not as it has to be."""
    rows = [] if arguments["fail_on"] == "nothing" else list(state["objects"])
    if arguments["fail_on"] == "anything":
        rows += state["repositories"]
    bad = [row for row in rows if row["state"] not in GOOD]
    if arguments["commit"] and not state["commit"].startswith(arguments["commit"]):
        bad.insert(0, {**state["objects"][0], "state": f"at {state['commit'] or 'no commit'}"})
    return bad

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds, changes and removes one cluster with Kubespray; see the module of the same name."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray import actions, preflight
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.inventory import HOSTS, Rendered
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.plan import one
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.walk import described, walk
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError, Problems
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import (
    KUBESPRAY_RELEASES,
    Step,
)
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _private_file
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._admin_login import (
    ends,
    owner,
    same_way,
    shorten,
)
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import display
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubeconfig import adopt
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_action import KubesprayAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_home import Home, texts, write
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_run import run
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_source import (
    Installed,
    Wanted,
    install,
)

SPEC: dict[str, t.Any] = {
    "action": {"type": "str", "choices": list(actions.ACTIONS), "required": True},
    "path": {"type": "path", "required": True},
    "cluster": {"type": "str"},
    "source": {"type": "str", "default": "https://github.com/kubernetes-sigs/kubespray.git"},
    "commits": {"type": "dict", "default": {}},
    "requirements": {"type": "dict", "default": {}},
    "python": {"type": "str"},
    "pip_arguments": {"type": "list", "elements": "str", "default": []},
    "nodes": {"type": "list", "elements": "str", "default": []},
    "snapshot": {"type": "str"},
    "from_version": {"type": "str"},
    "confirm": {"type": "str"},
    "override_freeze": {"type": "str"},
    "resume": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "become": {"type": "bool", "default": True},
    "forks": {"type": "int", "default": 10},
    "variables": {"type": "dict", "default": {}},
    "arguments": {"type": "list", "elements": "str", "default": []},
    "progress": {"type": "int", "default": 15},
    "admin_hours": {"type": "int", "default": 168},
}


class ActionModule(KubesprayAction):
    """Runs on the controller; Kubespray opens the connections."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.arguments(SPEC)
        name = arguments["cluster"] or str(variables.get("inventory_hostname"))
        wanted, fleet, folder = self.plan(arguments, variables, [name])
        machines = [m.name for m in wanted.clusters[name].machines.all] if name in wanted.clusters else []
        self.refuse(
            [p for p in wanted.problems if p.where.host in ("", name, *machines)],
            folder,
            spoken=False,
        )
        if name not in wanted.clusters:
            raise AnsibleActionFail(
                f"{name} has no machines in the inventory, so there is nothing to build. Its machines belong into the "
                f"group {name.replace('-', '_')}."
            )
        try:
            work = Work(name, arguments, fleet, wanted.clusters[name], fleet.today)
            return work.do(check=bool(self._task.check_mode), diff=bool(self._task.diff))
        except ModelError as error:
            raise AnsibleActionFail(f"{name}: {error}") from None


class Work:
    """One action on one cluster."""

    def __init__(
        self, name: str, arguments: Mapping[str, t.Any], fleet: Fleet, rendered: Rendered, today: datetime.date
    ) -> None:
        self.name, self.arguments, self.fleet, self.rendered, self.today = name, arguments, fleet, rendered, today
        self.root = Path(arguments["path"]).expanduser().absolute()
        self.home = Home(self.root / name)
        self.action = str(arguments["action"])
        self.state: dict[str, t.Any] = {}

    def say(self, text: str) -> None:
        display.display(f"{self.name}: {text}")

    # --- what to do -----------------------------------------------------------------------------------------------

    def do(self, *, check: bool, diff: bool) -> dict[str, t.Any]:
        arguments, cluster = self.arguments, self.rendered.wishes.cluster
        actions.may_run(
            self.action, cluster, arguments["confirm"] or "", self.today, arguments["override_freeze"] or ""
        )
        if check:
            return self._do(check=True, diff=diff)
        with self.home.alone():
            return self._do(check=False, diff=diff)

    def _do(self, *, check: bool, diff: bool) -> dict[str, t.Any]:
        # not before the lock is ours: another run writes it as long as it works
        self.state = self._read_state()
        tasks = [] if self.action == actions.KUBECONFIG else self._tasks()
        result: dict[str, t.Any] = {
            "changed": bool(tasks),
            "cluster": self.name,
            "directory": str(self.home.root),
            "kubeconfig": str(self.home.kubeconfig),
            "steps": [task.name for task in tasks],
        }
        if diff:
            result["diff"] = write(self.home, self.rendered, check=True)
        if check or not tasks:
            result["changed"] = result["changed"] or self._renew(check=check)
            for line in result["steps"] or ([] if result["changed"] else ["nothing to do"]):
                self.say(line)
            return result
        result["logs"] = self._run_all(tasks)
        if self.action == "reset":
            self._forget()
        elif self.action != "remove_node":
            result["kubeconfig"] = self._fetch_kubeconfig()
        return result

    def _tasks(self) -> list[actions.Task]:
        """The playbook runs that are left to do."""
        wishes, arguments, state = self.rendered.wishes, self.arguments, self.state
        pending = state.get("pending")
        if arguments["resume"]:
            if not pending:
                raise ModelError("there is nothing to resume: its last run was finished, or there was none.")
            if pending["action"] != self.action:
                raise ModelError(
                    f"its unfinished run is {pending['action']}. Resume that, or start {self.action} anew."
                )
        current = state.get("kubernetes") or arguments["from_version"]
        here = Step(wishes.kubernetes, wishes.release.tag)
        steps = [here]
        if self.action == "upgrade":
            if not current:
                raise ModelError(
                    "it is not known which version it runs, because it was not built from here. Give it as "
                    "kubespray_from_version."
                )
            steps = walk(str(current), wishes.kubernetes, wishes.cluster.release_line)
            for line in described(str(current), steps):
                self.say(line)
            self._check_steps(steps)
        elif current and current != wishes.kubernetes:
            if self.action == "create":
                raise ModelError(
                    f"it runs Kubernetes {current}, and the inventory asks for {wishes.kubernetes}. Building it anew "
                    "would upgrade it without draining; use the playbook upgrade."
                )
            # a step aside of the inventory: the cluster is still on its old version
            steps = [Step(str(current), state.get("kubespray", wishes.release.tag))]
        nodes = list(arguments["nodes"]) or (list(pending["nodes"]) if arguments["resume"] and pending else [])
        tasks = actions.tasks(self.action, self.rendered.machines, steps, nodes, arguments["snapshot"] or "")
        if arguments["resume"] and pending:
            tasks = [task for task in tasks if task.name not in pending["done"]]
        elif self.action == "create" and state.get("digest") == self._digest(self.rendered) and not arguments["force"]:
            return []
        return tasks

    def _check_steps(self, steps: list[Step]) -> None:
        """What the inventory asks for has to be possible on the way as well."""
        problems = Problems()
        for step in steps[:-1]:
            rendered = one(
                self.rendered.wishes.cluster,
                self.fleet,
                self.rendered.machines,
                kubernetes=step.kubernetes,
                kubespray=step.kubespray,
            )
            preflight.check(rendered, problems)
        if problems.errors:
            told = "\n".join(problem.render() for problem in problems.errors)
            raise ModelError(f"a version on the way refuses what the inventory asks for:\n{told}")

    # --- doing it -------------------------------------------------------------------------------------------------

    def _run_all(self, tasks: list[actions.Task]) -> list[str]:
        arguments = self.arguments
        before = self.state.get("pending") if arguments["resume"] else None
        nodes = list(arguments["nodes"]) or list((before or {}).get("nodes", ()))
        pending: dict[str, t.Any] = {
            "action": self.action,
            "nodes": nodes,
            "done": list((before or {}).get("done", ())),
        }
        self._save(pending=pending)
        logs = []
        for number, task in enumerate(tasks, 1):
            installed = self._install(task.kubespray)
            self._write_inventory(task, nodes)
            self.say(f"{number} of {len(tasks)}: {task.name}")
            outcome = run(
                self.home,
                installed,
                task.playbook,
                {**self._paths(), **arguments["variables"], **task.variables},
                limit=task.limit,
                arguments=[
                    *("--forks", str(arguments["forks"])),
                    *(["--become"] if arguments["become"] else []),
                    *arguments["arguments"],
                ],
                say=self.say,
                every=float(arguments["progress"]),
            )
            logs.append(str(outcome.log))
            if outcome.code:
                self._save(pending={**pending, "failed": outcome.faults})
                raise AnsibleActionFail(
                    f"{self.name}: {task.name} failed {outcome.told()}\nThe whole log: {outcome.log}\n"
                    "What is done stays done. When the cause is mended, continue with -e kubespray_resume=true."
                )
            pending["done"].append(task.name)
            self._save(pending=pending, **self._reached(task))
            self.say(f"{task.name} is done after {outcome.tasks} tasks and {outcome.seconds:.0f} s")
        self._save(pending=None)
        return logs

    def _reached(self, task: actions.Task) -> dict[str, t.Any]:
        """What is true of the cluster after I(task)."""
        if task.playbook in ("cluster", "upgrade_cluster"):
            digest = self._digest(self._for(task))
            return {"kubernetes": task.kubernetes, "kubespray": task.kubespray, "digest": digest}
        if task.playbook == "scale" and not task.limit and "digest" in self.state:
            return {"digest": self._digest(self._for(task))}
        return {}

    def _for(self, task: actions.Task) -> Rendered:
        cluster = self.fleet.clusters[self.name]
        return one(cluster, self.fleet, self.rendered.machines, kubernetes=task.kubernetes, kubespray=task.kubespray)

    def _write_inventory(self, task: actions.Task, nodes: list[str]) -> None:
        rendered = self._for(task)
        if task.playbook == "recover_control_plane":
            rendered.files[HOSTS] = actions.broken_first_out(rendered.files[HOSTS], nodes)
        write(self.home, rendered)

    def _paths(self) -> dict[str, t.Any]:
        return {
            "credentials_dir": str(self.home.credentials),
            "artifacts_dir": str(self.home.artifacts),
            "kubeconfig_localhost": True,
            # Kubespray uses it where Ansible knows no variables of hosts
            "serial": self.rendered.wishes.get("upgrade.at_once"),
        }

    def _install(self, tag: str) -> Installed:
        release, arguments = KUBESPRAY_RELEASES[tag], self.arguments
        wanted = Wanted(
            release,
            arguments["source"],
            str(arguments["commits"].get(tag, release.commit)),
            arguments["python"] or "",
            str(arguments["requirements"].get(tag, "")),
            arguments["pip_arguments"],
        )
        return install(wanted, self.root / ".kubespray", self.say)

    # --- the administrator's kubeconfig ---------------------------------------------------------------------------

    def _fetch_kubeconfig(self) -> str:
        """The administrator's kubeconfig, under the cluster's own name, where the inventory says."""
        fetched = self._fetched()
        if not fetched:
            return ""
        try:
            return self._keep_kubeconfig(self._shortened(fetched))
        except LiveError as error:
            display.warning(
                f"{self.name}: the certificate in the administrator's kubeconfig is kubeadm's own, which lives for a "
                f"year, as the cluster gave no shorter one: {error}"
            )
            return self._keep_kubeconfig(fetched)

    def _renew(self, *, check: bool) -> bool:
        """Gets a new certificate when half of the time of the last one is over; whether there was something to do."""
        asked, hours = self.action == actions.KUBECONFIG, self.arguments["admin_hours"]
        fetched = self._fetched()
        if not fetched:
            if asked:
                raise ModelError("Kubespray has brought no kubeconfig yet. Build the cluster with the action create.")
            return False
        now = datetime.datetime.now(datetime.timezone.utc)
        kept = self.home.kubeconfig.read_text(encoding="utf-8") if self.home.kubeconfig.exists() else ""
        end = ends(kept)
        if not hours:
            good = kept == fetched
        elif end:
            # one that lives longer is kubeadm's own, or was asked for with another setting
            good = datetime.timedelta(hours=hours) / 2 < end - now <= datetime.timedelta(hours=hours)
        else:
            good = bool(kept) and not asked
        if same_way(kept, fetched) and good:
            return False
        if check:
            self.say("the administrator's kubeconfig would get a new certificate")
            return True
        try:
            self._keep_kubeconfig(self._shortened(fetched))
        except LiveError as error:
            if asked:
                raise AnsibleActionFail(f"{self.name}: {error}") from None
            display.warning(f"{self.name}: the administrator's kubeconfig got no new certificate: {error}")
            return False
        self.say(f"the administrator's kubeconfig has a new certificate{f' for {hours} hours' if hours else ''}")
        return True

    def _fetched(self) -> str:
        """What Kubespray brought."""
        path = self.home.artifacts / "admin.conf"
        return adopt(path.read_text(encoding="utf-8"), self.name) if path.exists() else ""

    def _shortened(self, fetched: str) -> str:
        hours = int(self.arguments["admin_hours"])
        return shorten(fetched, hours) if hours else fetched

    def _keep_kubeconfig(self, text: str) -> str:
        """Writes it to the cluster's folder, and where the inventory says unless somebody else's login is there."""
        _private_file.write(self.home.kubeconfig, text)
        declared = self.rendered.wishes.cluster.get("kubeconfig")
        if not declared:
            return str(self.home.kubeconfig)
        path = Path(declared).expanduser()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            there = path.read_text(encoding="utf-8") if path.exists() else ""
        except OSError as error:
            raise AnsibleActionFail(f"{path.parent} cannot be made: {error.strerror}.") from None
        if there and owner(there) != owner(text):
            self.say(f"{path} is the login of {owner(there) or 'somebody'}, and stays; ours is {self.home.kubeconfig}")
            return str(self.home.kubeconfig)
        _private_file.write(path, text)
        return str(path)

    def _forget(self) -> None:
        """After a reset nothing that was true of the cluster is."""
        for path in (self.home.kubeconfig, self.home.state):
            path.unlink(missing_ok=True)
        for folder in (self.home.facts, self.home.artifacts, self.home.credentials):
            shutil.rmtree(folder, ignore_errors=True)

    # --- its state ------------------------------------------------------------------------------------------------

    def _digest(self, rendered: Rendered) -> str:
        """Of all that Kubespray is given; secrets may be among it."""
        wanted: t.Any = texts(rendered)
        given = {key: self.arguments[key] for key in ("variables", "arguments") if self.arguments[key]}
        if given:
            # a cluster without them is not built again because its digest was made before they counted
            wanted = [wanted, given]
        return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()

    def _read_state(self) -> dict[str, t.Any]:
        try:
            return t.cast("dict[str, t.Any]", json.loads(self.home.state.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise AnsibleActionFail(f"{self.home.state} cannot be read: {error}.") from None

    def _save(self, **values: t.Any) -> None:
        self.state = {**self.state, **values}
        _private_file.write(self.home.state, json.dumps(self.state, indent=2, sort_keys=True) + "\n")

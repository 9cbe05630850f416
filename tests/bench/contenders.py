# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to bring objects to an API server that are compared: ours, what people use today, and the floor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.kinds import LAST, kind_of, wave

from . import baselines, synthetic

Objects = list[dict[str, t.Any]]
PEERS = baselines.ROOT / ".cache/bench/peers"
PARALLEL = 8
LOOPED = 30
MANAGER = "bench"

#: Writes how long each task took, and what the module says of itself.
_CALLBACK = """\
import json, os, time
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "bench_tasks"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._start = time.monotonic()

    def v2_runner_on_ok(self, result):
        values = result._result
        kept = {key: values[key] for key in ("timings", "requests", "summary") if key in values}
        row = {"task": result._task.get_name(), "seconds": time.monotonic() - self._start, **kept}
        done = values.get("result")
        many = done.get("results", [done]) if isinstance(done, dict) else ()
        row["false"] = [each["result"]["kind"] for each in many if each.get("changed")]
        with open(os.environ["BENCH_TASKS"], "a") as file:
            file.write(json.dumps({**row, "changed": bool(values.get("changed"))}) + "\\n")
"""

_ONE_TASK = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Apply
      kubernetes.core.k8s:
        kubeconfig: "{{ kubeconfig }}"
        definition: "{{ lookup('ansible.builtin.file', objects) | from_json }}"
        apply: true
        server_side_apply:
          field_manager: bench
"""

_LOOP = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Apply
      kubernetes.core.k8s:
        kubeconfig: "{{ kubeconfig }}"
        definition: "{{ item }}"
        apply: true
        server_side_apply:
          field_manager: bench
      loop: "{{ lookup('ansible.builtin.file', objects) | from_json }}"
      loop_control:
        label: "{{ item.metadata.name }}"
"""

_EMPTY = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks: []
"""


@dataclass
class Run:
    """What one run took.

    @param inner: seconds of the module alone, as it or its task says.
    @param task: the row of the callback.
    """

    seconds: float
    memory: int
    inner: float = 0.0
    task: dict[str, t.Any] | None = None


def peers() -> Path:
    """The environment with the package ansible, which holds kubernetes.core; made once."""
    done = PEERS / "complete"
    if not done.exists():
        print(f"making {PEERS} with the PyPI packages ansible and kubernetes (once, about a minute) …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS)], check=True)
        pip = [str(PEERS / "bin/pip"), "install", "--disable-pip-version-check", "--progress-bar", "off"]
        subprocess.run([*pip, "ansible", "kubernetes"], check=True)
        done.touch()
    return PEERS / "bin/ansible-playbook"


def peer_versions() -> str:
    """Which versions are compared with."""
    galaxy = [str(PEERS / "bin/ansible-galaxy"), "collection", "list", "kubernetes.core", "--format", "json"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
    listed = json.loads(subprocess.run(galaxy, capture_output=True, text=True, check=True, env=environment).stdout)
    version = next(iter(listed.values()))["kubernetes.core"]["version"]
    ansible = subprocess.run([str(peers()), "--version"], capture_output=True, text=True, check=True, env=environment)
    return f"kubernetes.core {version} on {ansible.stdout.splitlines()[0].split(' ', 1)[1]}"


class Contender(ABC):
    """Applies objects to one API server; each run may be repeated.

    @param work: an empty folder of its own.
    """

    def __init__(self, work: Path, kubeconfig: Path, objects: Objects) -> None:
        self.work, self.kubeconfig, self.objects = work, kubeconfig, objects
        work.mkdir(parents=True)
        self._environment = {"BENCH_TASKS": str(work / "tasks"), "ANSIBLE_CALLBACK_PLUGINS": str(work)}
        self._environment["ANSIBLE_CALLBACKS_ENABLED"] = "bench_tasks"
        (work / "bench_tasks.py").write_text(_CALLBACK)

    @abstractmethod
    def run(self) -> Run:
        """Brings the objects there."""

    def playbook(self, command: list[str]) -> Run:
        """A playbook, and its longest task."""
        (self.work / "tasks").unlink(missing_ok=True)
        seconds, memory = baselines.run(command, self.work, self._environment)
        written = self.work / "tasks"
        rows = [json.loads(line) for line in written.read_text().splitlines()] if written.exists() else []
        task = max(rows, key=lambda row: float(row["seconds"]), default=None)
        return Run(seconds, memory, task["seconds"] if task else 0.0, task)


class Ours(Contender):
    """The collection's own playbook, on an inventory; it makes the objects itself."""

    size = (0, 0)

    def run(self) -> Run:
        inventory = self.work / "inventory"
        if not inventory.exists():
            synthetic.write(inventory, 1, *self.size, str(self.kubeconfig))
        variables = {"tenants_report": "none", "tenants_parallel": PARALLEL}
        command = [baselines.program("ansible-playbook"), "k8s.self_provisioning.tenants", "-i", str(inventory)]
        return self.playbook([*command, "--tags", "live", "-e", json.dumps(variables)])


class Core(Contender):
    """kubernetes.core.k8s with server-side apply, all objects in one task."""

    text = _ONE_TASK

    def run(self) -> Run:
        (self.work / "objects.json").write_text(json.dumps(self.objects))
        (self.work / "play.yml").write_text(self.text)
        variables = {"kubeconfig": str(self.kubeconfig), "objects": str(self.work / "objects.json")}
        variables["ansible_python_interpreter"] = str(PEERS / "bin/python")
        return self.playbook([str(peers()), "play.yml", "-i", "localhost,", "-e", json.dumps(variables)])


class CoreLoop(Core):
    """The same in a loop."""

    text = _LOOP


class Empty(Core):
    """A playbook without a task."""

    text = _EMPTY


class Kubectl(Contender):
    """C(kubectl apply --server-side)."""

    program: Path | None = None
    validate = True

    def run(self) -> Run:
        path = self.work / "objects.json"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": self.objects}))
        command = [str(self.program), "--kubeconfig", str(self.kubeconfig), "apply", "--server-side"]
        command += ["--cache-dir", str(self.work / "cache"), "--field-manager", MANAGER, "-f", str(path)]
        seconds, memory = baselines.run([*command, f"--validate={str(self.validate).lower()}"], self.work)
        return Run(seconds, memory)


class KubectlUnvalidated(Kubectl):
    """The same, without looking at the schemas first."""

    validate = False


class Floor(Contender):
    """A bare HTTP client; its first run lists and applies, later ones only list."""

    def run(self) -> Run:
        plan = self.work / "plan.json"
        first = not plan.exists()
        if first:
            plan.write_text(json.dumps(_plan(self.objects)))
        script = str(Path(__file__).with_name("floor.py"))
        arguments = [str(self.kubeconfig), str(plan), str(PARALLEL), "create" if first else "list"]
        seconds, memory = baselines.run([sys.executable, script, *arguments], self.work)
        told = json.loads(plan.with_suffix(".seconds").read_text())
        if not first and told["found"] != len(self.objects):
            raise RuntimeError(f"{told['found']} objects are there, not {len(self.objects)}")
        return Run(seconds, memory, told["seconds"])


def _plan(objects: Objects) -> dict[str, t.Any]:
    """Paths for the floor, as it knows no discovery; in our waves."""
    waves: list[list[tuple[str, t.Any]]] = [[] for _unused in range(LAST + 1)]
    lists = {}
    for each in objects:
        version, kind = kind_of(each)
        plural = kind.lower()[:-1] + "ies" if kind.endswith("y") else kind.lower() + "s"
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        lists[f"{base}/{plural}"] = None
        meta = each["metadata"]
        inside = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
        waves[wave(kind_of(each))].append((f"{base}{inside}/{plural}/{meta['name']}", each))
    return {"lists": list(lists), "waves": waves}

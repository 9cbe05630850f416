# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks that talk to a cluster, one after the other as the provisioner: each returns what its documentation says,
and none of them needs a right that the provisioner does not have."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..control_plane.cluster import ControlPlane
from .live_cluster import CLUSTER, CLUSTERS, HERE, SETTINGS, Live, Object, prepare, tenant
from .playbooks import ansible

pytestmark = pytest.mark.slow

PROVISIONER = "system:serviceaccount:self-provisioning:provisioner"
#: What any task may return; documented once for all by Ansible.
COMMON = {"changed", "diff", "failed", "msg"}
TYPES = {"bool": bool, "dict": dict, "float": float, "int": int, "list": list, "str": str}
SERVED = {"metallb.io"}  # not here

RICH = tenant(
    "physics",
    {
        "name": "prod",
        "role_bindings": [{"cluster_role": "view", "subjects": [{"kind": "User", "name": "ann"}]}],
        **HERE,
    },
    {"name": "dev", "deletion_policy": "delete", **HERE},
)
HAND = {"name": "chem-lab-prod", "labels": {"team": "chem"}}

#: The name of each step, the task, its options.
STEPS: list[tuple[str, str, Object]] = [
    ("provisioner_access", "provisioner_access", {"kubeconfig": "{{ admin }}", "apply": True, "login": "{{ login }}",
     "delete_namespaces": True, "access_reviews": True, "manifest": "{{ out }}/manifest.yml"}),
    ("tenants", "tenants", {"prune": True}),
    ("tenants again", "tenants", {"prune": True}),
    ("drift", "", {}),
    ("tenants_info", "tenants_info", {}),
    ("tenants in part", "tenants", {"tenants": ["physics"], "prune": True}),
    ("access_info", "access_info", {"verify": True, "csv": "{{ out }}/access.csv"}),
    ("tenants_import", "tenants_import", {"path": "{{ out }}"}),
]  # fmt: skip


@dataclass
class Done:
    results: dict[str, Object]
    events: list[Object]
    out: str


def _tasks() -> list[Object]:
    tasks: list[Object] = []
    for name, module, options in STEPS:
        if not module:
            edit = "kubectl-like edit"
            tasks.append({"name": edit, "ansible.builtin.command": {"argv": ["{{ python }}", "-c", "{{ meddle }}"]}})
            continue
        register = name.replace(" ", "_")
        tasks += [
            {"name": name, f"k8s.self_provisioning.{module}": {"today": "2026-11-01", **options}, "register": register},
            {
                "ansible.builtin.copy": {
                    "content": "{{ " + register + " | to_json }}",
                    "dest": "{{ out }}/" + register + ".json",
                }
            },
        ]
    return tasks


MEDDLE = """
import json, ssl, urllib.request, yaml
config = yaml.safe_load(open({config!r}))
import kubernetes
kubernetes.config.load_kube_config({config!r})
api = kubernetes.client.CoreV1Api()
api.patch_namespaced_resource_quota("tenant-quota", "physics-lab-prod", {{"spec": {{"hard": {{"pods": "99"}}}}}})
api.create_namespaced_config_map("physics-lab-prod", {{"metadata": {{"name": "copy", "labels": {{
    "app.kubernetes.io/managed-by": "self-provisioning"}}}}}})
api.create_namespaced_limit_range("physics-lab-prod", {{"metadata": {{"name": "theirs"}},
    "spec": {{"limits": [{{"type": "Container", "default": {{"memory": "1Gi"}}}}]}}}})
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    with ControlPlane() as plane:
        live: Live = prepare(plane)
        live.make({"apiVersion": "v1", "kind": "Namespace", "metadata": HAND})
        mark = plane.audit.mark()
        results, out = _play(plane, tmp_path_factory.mktemp("inventory"))
        plane.audit.mark()
        events = [event for event in plane.audit_events(mark) if event["user"]["username"] == PROVISIONER]
        yield Done(results, events, out)


def _play(plane: ControlPlane, folder: Path) -> tuple[dict[str, Object], str]:
    login = folder / "login.json"
    host = {**CLUSTERS[CLUSTER], "cluster_delivery": "live", "cluster_kubeconfig": str(login)}
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_text(yaml.safe_dump({**SETTINGS, "tenant__physics": RICH}))
    (folder / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": {CLUSTER: host}}}))
    play = {"hosts": "clusters", "connection": "local", "gather_facts": False, "tasks": _tasks()}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    extra = {
        "out": str(folder), "login": str(login), "admin": str(plane.kubeconfig), "python": sys.executable,
        "meddle": MEDDLE.format(config=str(plane.kubeconfig)), "ansible_python_interpreter": sys.executable,
    }  # fmt: skip
    given = ("-i", "hosts.yml", "play.yml", "--diff", "-e", json.dumps(extra))
    ran = ansible("playbook", *given, cwd=folder, ANSIBLE_NOCOLOR="1")
    assert ran.code == 0, ran.out
    names = [name.replace(" ", "_") for name, module, _options in STEPS if module]
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in names}, ran.out


def _documented(module: str) -> Object:
    told = ansible("doc", "--json", "-t", "module", f"k8s.self_provisioning.{module}")
    return json.loads(told.stdout)[f"k8s.self_provisioning.{module}"]


MODULES = sorted({module for _name, module, _options in STEPS if module})


def _same_keys(documented: Mapping[str, Object], found: Any, place: str) -> None:
    assert found.keys() == documented.keys(), place
    for key, value in found.items():
        wanted = documented[key]
        assert isinstance(value, TYPES[wanted["type"]]), f"{place}.{key} is {value!r}"
        parts = value if wanted["type"] == "list" else [value]
        for part in parts:
            if wanted["type"] == "list":
                assert isinstance(part, TYPES[wanted["elements"]]), f"{place}.{key} holds {part!r}"
            if "contains" in wanted:
                _same_keys(wanted["contains"], part, f"{place}.{key}")
            elif isinstance(part, dict) and wanted["type"] == "list":
                known = [set(each) for each in wanted.get("sample") or ()]
                if known and part:
                    assert any(set(part) >= keys for keys in known), f"{place}.{key}: {part} is not as its sample"


@pytest.mark.parametrize("module", MODULES)
def test_a_task_returns_what_is_documented(done: Done, module: str) -> None:
    documented = _documented(module)
    assert {"action", "check_mode", "diff_mode", "idempotent"} <= set(documented["doc"]["attributes"])
    runs = [result for name, result in done.results.items() if name.startswith(module.replace(" ", "_"))]
    if module == "tenants":
        runs = [done.results[name] for name in ("tenants", "tenants_again", "tenants_in_part")]
    for result in runs:
        returned = {key: value for key, value in result.items() if key not in COMMON}
        _same_keys(documented["return"], returned, module)


def test_the_steps_did_something(done: Done) -> None:
    """Else the comparison above would say little."""
    found = done.results
    assert found["provisioner_access"]["applied"]
    assert found["tenants"]["summary"]["created"] > 30
    assert (found["tenants_again"]["changed"], found["tenants_again"]["objects"]) == (False, [])
    assert [row["action"] for row in found["tenants_in_part"]["objects"]] == ["updated"]
    info = found["tenants_info"]
    assert all(info[part] for part in ("drift", "orphans", "extras")), info
    assert found["access_info"]["verified"][CLUSTER]["checks"] > 0
    assert [each["namespace"] for each in found["tenants_import"]["environments"]] == ["chem-lab-prod"]
    assert "eyJ" not in done.out + json.dumps(found)


def test_all_this_takes_no_right_that_the_provisioner_does_not_have(done: Done) -> None:
    refused = {
        (event["verb"], event["requestURI"].partition("?")[0])
        for event in done.events
        if event["responseStatus"]["code"] in (401, 403)
    }
    # those three roles it may not write, and finds as they should be
    assert refused == set()
    verbs = {event["verb"] for event in done.events if event.get("objectRef")}
    assert verbs <= {"create", "list", "patch"}


def test_every_read_that_it_may_make_is_made(done: Done) -> None:
    """A right that nothing uses is one too many."""
    role = next(
        each
        for each in done.results["provisioner_access"]["objects"]
        if each["kind"] == "ClusterRole" and each["metadata"]["name"] == "self-provisioning-provisioner"
    )
    may = {
        (group, resource)
        for rule in role["rules"]
        if "list" in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if group not in SERVED
    }
    made = {
        (event["objectRef"].get("apiGroup", ""), event["objectRef"]["resource"])
        for event in done.events
        if event["verb"] == "list"
    }
    assert made == may

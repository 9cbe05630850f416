# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task C(tenants) in a real playbook run: results, check mode, failures, and what it never prints."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import RELEASE_LINES
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import MANAGED_BY, MANAGER
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.provisioner import provisioner_objects

from ..control_plane.cluster import ControlPlane
from ..control_plane.process import free_ports
from .governed import path_of
from .live_cluster import CLUSTERS, HERE, SETTINGS, Live, Object, fleet_of, prepare, tenant, wait_for
from .playbooks import ansible, tasks

ROOT = Path(__file__).resolve().parents[2]
PLAY = [
    {
        "hosts": "clusters",
        "connection": "local",
        "gather_facts": False,
        "tasks": [
            {
                "k8s.self_provisioning.tenants": {"today": "2026-11-01", "prune": True, "report": "summary"},
                "register": "done",
            },
            {
                "ansible.builtin.copy": {
                    "content": "{{ done | to_json }}",
                    "dest": "{{ out }}/{{ inventory_hostname }}",
                },
                "check_mode": False,
                "changed_when": False,
                "when": "out | length > 0",
            },
        ],
    }
]


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with ControlPlane() as plane:
        yield prepare(plane)


def write(folder: Path, tenants: list[Object], clusters: dict[str, Object]) -> Path:
    (folder / "group_vars/all").mkdir(parents=True, exist_ok=True)
    (folder / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": clusters}}))
    variables = {**SETTINGS, **{f"tenant__{each['id']}": each for each in tenants}}
    (folder / "group_vars/all/fleet.yml").write_text(yaml.safe_dump(variables))
    (folder / "play.yml").write_text(yaml.safe_dump(PLAY))
    return folder


def cluster(kubeconfig: Path | str, **more: Any) -> Object:
    return {**CLUSTERS["east"], "cluster_delivery": "live", "cluster_kubeconfig": str(kubeconfig), **more}


def run(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    extra = json.dumps({"out": str(folder / "out"), "ansible_python_interpreter": sys.executable})
    given = ("play.yml", "-i", "hosts.yml", "-e", extra, *arguments)
    done = ansible("playbook", *given, cwd=folder, ANSIBLE_NOCOLOR="1", **environment)
    return done.code, done.out


def result(folder: Path, host: str = "east") -> Object:
    return json.loads((folder / "out" / host).read_text())


def test_a_task(live: Live, tmp_path: Path) -> None:
    folder = write(tmp_path, [tenant("task", {"name": "prod", **HERE})], {"east": cluster(live.kubeconfig())})
    (folder / "out").mkdir()
    code, out = run(folder, "--check", "--diff")
    assert code == 0, out
    foretold = result(folder)
    assert "would be created" in out
    assert "+" in out
    assert live.read("/api/v1/namespaces/task-lab-prod") is None

    code, out = run(folder, "--diff")
    assert code == 0, out
    assert "changed=1" in out
    made = result(folder)
    assert (made["summary"], made["objects"], made["diff"]) == (
        foretold["summary"], foretold["objects"], foretold["diff"],
    )  # fmt: skip
    assert made["summary"]["created"] > 30

    code, out = run(folder)
    assert code == 0, out
    assert "changed=0" in out
    assert "patch" not in result(folder)["requests"]


@pytest.mark.slow
def test_a_cluster_that_fails_stops_no_other(live: Live, tmp_path: Path) -> None:
    live.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "two-lab-prod"}})
    clusters = {
        "east": cluster(live.kubeconfig(), cluster_capacity={"cpu": "8", "memory": "20Gi", "storage": "1Ti"}),
        "lost": cluster("/nowhere/kubeconfig"),
        "git": cluster(live.kubeconfig(), cluster_delivery="gitops"),
    }
    placed = [{"name": "prod", "placement": {"clusters": ["east"]}}, {"name": "b", "placement": {"clusters": ["east"]}}]
    folder = write(tmp_path, [tenant("two", *placed)], clusters)
    (folder / "out").mkdir()
    code, out = run(folder)
    assert code == 2, out
    assert "lost: kubeconfig /nowhere/kubeconfig: there is no such file." in out
    assert "git: cluster_delivery: it is 'gitops'" in out
    assert "everything else is done" in out
    assert "is not managed by this collection" in out
    assert live.read("/api/v1/namespaces/two-lab-b/resourcequotas/tenant-quota") is not None


def test_no_secret_is_printed(live: Live, tmp_path: Path) -> None:
    """Not even with the most words, and when it fails."""
    token = "a-secret-token-of-somebody"
    folder = write(
        tmp_path, [tenant("task", {"name": "prod", **HERE})], {"east": cluster("", cluster_kubeconfig="unused")}
    )
    play = [{**PLAY[0], "tasks": [{"k8s.self_provisioning.tenants": {
        "today": "2026-11-01", "host": live.plane.server, "api_key": token, "ca_cert": str(live.plane.ca_file),
        "proxy_headers": {"basic_auth": "user:a-secret-word"},
    }}]}]  # fmt: skip
    (folder / "play.yml").write_text(yaml.safe_dump(play))
    code, out = run(folder, "-vvvv")
    assert code == 2, out
    assert "does not accept the login" in out
    assert token not in out
    assert "a-secret-word" not in out


@pytest.mark.slow
def test_the_inventory_s_kubeconfig_comes_before_the_environment_s(live: Live, tmp_path: Path) -> None:
    """The environment is the same for all clusters: it would send every tenant to one of them."""
    folder = write(tmp_path, [tenant("task", {"name": "prod", **HERE})], {"east": cluster(live.kubeconfig())})
    (folder / "out").mkdir()
    code, out = run(folder, "--check", K8S_AUTH_KUBECONFIG="/nowhere/else")
    assert code == 0, out


def test_whoever_writes_to_another_cluster_is_stopped(live: Live, tmp_path: Path) -> None:
    """Its own facts say who it is, wherever its delivery has put them."""
    line = {"cluster_release_line": LINE.name}
    east = cluster("unused", **line, cluster_services={"metallb": {}})
    git = {**CLUSTERS["east"], **line, "cluster_delivery": "gitops"}
    folder = write(tmp_path / "inventory", [tenant("task", {"name": "prod", **HERE})], {"east": east, "git": git})
    services = {"fleet_services": {"metallb": {"namespace": "metallb"}}}
    (folder / "group_vars/all/services.yml").write_text(yaml.safe_dump(services))
    (folder / "play.yml").unlink()
    (tmp_path / "flux.yml").write_text(yaml.safe_dump(RELEASED["flux"]))
    (tmp_path / "metallb.yml").write_text(yaml.safe_dump(RELEASED["metallb"]))
    calls: dict[str, Object] = {
        "flux_bootstrap": {"cluster": "git", "manifest": str(tmp_path / "flux.yml")},
        "foundation": {"cluster": "east", "service": "metallb", "manifest": str(tmp_path / "metallb.yml")},
        "provisioner_access": {"cluster": "east", "apply": True},
        "storage": {"cluster": "east", "service": "ceph-csi"},
    }
    common = {"inventory": str(folder), "kubeconfig": str(live.plane.kubeconfig)}
    wanted = [{f"k8s.self_provisioning.{name}": {**call, **common}} for name, call in calls.items()]
    facts = {"name": "cluster-facts", "namespace": "flux-system", "labels": {MANAGED_BY: MANAGER}}
    live.make({"apiVersion": "v1", "kind": "ConfigMap", "metadata": facts, "data": {"name": "west"}})
    try:
        results, _run = tasks(tmp_path, wanted, inventory=folder)
    finally:
        live.send("DELETE", "/api/v1/namespaces/flux-system/configmaps/cluster-facts")
    told = {name: found.get("msg", "") for name, found in zip(calls, results, strict=True)}
    # 'west', or another one that tests before this one have left in the other place
    stopped = {name for name in calls if f"', not '{calls[name]['cluster']}'. Nothing was written" in told[name]}
    assert stopped == {*calls}, told


LINE = RELEASE_LINES["1.35"]
#: Manifests that are taken for those of a release.
RELEASED: dict[str, Object] = {
    "flux": {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "flux-system", "labels": {"app.kubernetes.io/version": f"v{LINE.flux}"}},
    },
    "metallb": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "controller", "namespace": "metallb"},
        "spec": {
            "template": {"spec": {"containers": [{"image": f"metallb/controller:{LINE.services['metallb']}"}]}},
        },
    },
}


def test_whoever_asks_for_anything_waits_for_repositories_of_tenants(live: Live, tmp_path: Path) -> None:
    """The fleet tree is applied at the first look, and what the tenant's own repository holds only after it."""
    git = {**CLUSTERS["east"], "cluster_delivery": "gitops"}
    mine = {"name": "prod", "gitops": {"url": "https://git.example.edu/own.git"}, "placement": {"clusters": ["git"]}}
    folder = write(tmp_path / "inventory", [tenant("own", mine)], {"git": git})
    (folder / "play.yml").unlink()
    live.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "own-lab-prod"}})
    for namespace, repository in (("flux-system", "flux-system"), ("own-lab-prod", "tenant")):
        flux_says(live, "GitRepository", namespace, repository, artifact={"revision": COMMIT})
    for name in ("flux-system", "policies", "tenant-own"):
        flux_says(live, "Kustomization", "flux-system", name, lastAppliedRevision=COMMIT)
    mark = live.plane.audit.mark()

    def follow() -> None:
        wait_for(lambda: [e for e in live.plane.audit_events(mark) if looks(e)], "it looks for the first time")
        flux_says(live, "Kustomization", "own-lab-prod", "tenant", lastAppliedRevision=COMMIT)

    follower = threading.Thread(target=follow)
    follower.start()
    call = {"inventory": str(folder), "kubeconfig": str(live.plane.kubeconfig), "cluster": "git"}
    wanted = [{"k8s.self_provisioning.flux_status": {**call, "fail_on": "anything", "wait_timeout": 60}}]
    (found,), _run = tasks(tmp_path, wanted, inventory=folder)
    follower.join()
    assert (found["failed"], found["repositories_healthy"]) == (False, True), found["msg"]


COMMIT = f"main@sha1:{'a' * 40}"


def looks(event: Object) -> bool:
    """Whether a request is one of flux_status."""
    return (
        event["userAgent"] == "k8s.self_provisioning" and event.get("objectRef", {}).get("resource") == "kustomizations"
    )


def flux_says(live: Live, kind: str, namespace: str, name: str, **status: Any) -> None:
    """An object of Flux of which its controller is done."""
    version = "source.toolkit.fluxcd.io/v1" if kind == "GitRepository" else "kustomize.toolkit.fluxcd.io/v1"
    meta = {"name": name, "namespace": namespace}
    source = {"kind": "GitRepository", "name": "flux-system" if namespace == "flux-system" else "tenant"}
    target = {"apiVersion": version, "kind": kind, "metadata": meta, "spec": {"sourceRef": source}}
    live.make(target)
    ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "observedGeneration": 1}
    live.edit(f"{path_of(target)}/status", {"status": {"conditions": [ready], **status}})


def test_a_trial_that_fails_shows_its_diff_and_claims_nothing(live: Live, tmp_path: Path) -> None:
    """Ansible itself prints the diff of no task that fails. Of what failed, nothing is left out."""
    live.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "many-lab-taken"}})
    environments: list[Object] = [{"name": "taken", **HERE}, *({"name": f"e{n:02}", **HERE} for n in range(3))]
    folder = write(tmp_path, [tenant("many", *environments)], {"east": cluster(live.kubeconfig())})
    code, out = run(folder, "--check", "--diff")
    assert code == 2, out
    assert "+++ after: Namespace many-lab-e00 (declared)" in out
    assert re.search(r"east: [0-9]+ objects would fail; nothing was done, because this is check mode", out), out
    assert "everything else is done" not in out
    assert "Namespace many-lab-taken: a namespace of this name is there already" in out
    assert "skipped because the namespace failed" in out
    assert "many-lab-taken/tenant-quota" not in out, "of what was skipped there is only the number"
    assert live.read("/api/v1/namespaces/many-lab-e00") is None

    code, quiet = run(folder, "--check")
    assert code == 2, quiet
    assert "+++" not in quiet


@pytest.mark.slow
def test_deletion_without_the_right_names_the_remedy(live: Live, tmp_path: Path) -> None:
    host = cluster(live.kubeconfig())
    gone = {"name": "gone", "deletion_policy": "delete", **HERE}
    folder = write(tmp_path, [tenant("del", {"name": "stays", **HERE}, gone)], {"east": host})
    (folder / "out").mkdir()
    assert run(folder)[0] == 0
    write(tmp_path, [tenant("del", {"name": "stays", **HERE})], {"east": host})
    task = {"today": "2026-11-01", "prune": True, "confirm_deletion": ["del-lab-gone"], "tenants": ["del"]}
    (folder / "play.yml").write_text(yaml.safe_dump([{**PLAY[0], "tasks": [{"k8s.self_provisioning.tenants": task}]}]))
    fleet = fleet_of(tenant("any"), cluster_delivery="live")
    try:
        for target in provisioner_objects(fleet, "east"):
            live.claim(target, "self-provisioning")
        wait_for(lambda: run(folder, "--check")[0] == 2, "the right is gone")
        code, out = run(folder)
    finally:
        for target in provisioner_objects(fleet, "east", delete_namespaces=True):
            live.claim(target, "self-provisioning")
    assert code == 2, out
    assert 'cannot delete resource "namespaces"' in out.replace("\\", "")
    assert "provisioner_access -e provisioner_kubeconfig=<administrator's> -e provisioner_delete_namespaces=true" in out


@pytest.mark.slow
def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """Nobody waits for long, and in silence; the message is for people."""
    folder = write(
        tmp_path, [tenant("task", {"name": "prod", **HERE})], {"east": cluster("", cluster_kubeconfig="unused")}
    )
    host = f"https://127.0.0.1:{free_ports(1)[0]}"
    task = {"today": "2026-11-01", "host": host, "api_key": "unused"}
    (folder / "play.yml").write_text(yaml.safe_dump([{**PLAY[0], "tasks": [{"k8s.self_provisioning.tenants": task}]}]))
    code, out = run(folder)
    assert code == 2, out
    what = f"east: {host}: the API server cannot be reached: Connection refused"
    assert f"{what}; trying again for up to 4 s" in out
    assert re.search(
        re.escape(what) + r" \(tried [0-9]+ times\)\. Check that it runs and that the way is open\.", out
    ), out
    assert "HTTPSConnection" not in out

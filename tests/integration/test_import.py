# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand-made namespaces of a real API server become tenants: imported, validated, adopted, with nothing changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.provisioner import provisioner_objects

from ..control_plane.cluster import ControlPlane
from ..unit.import_.hand_made import (
    ALL_SECURITY,
    TODAY,
    Object,
    account,
    binding,
    called,
    group,
    in_force,
    limits,
    namespace,
    policy,
    quota,
)
from .live_cluster import CLUSTER, CLUSTERS, PROVISIONER, Live, prepare, rows, wait_for
from .playbooks import Run, play

PROD, DEV, SHOP, OPEN = "physics-lab-prod", "physics-lab-dev", "shop-web-prod", "old-wiki-prod"
INSIDE: Object = {"from": [{"podSelector": {}}]}
HARD = {"requests.cpu": "4", "requests.memory": "8192Mi", "limits.memory": "16Gi", "pods": "20"}


def lab(name: str) -> list[Object]:
    """A namespace as people make them with kubectl."""
    return [
        namespace(name, {**ALL_SECURITY, "team": "physics"}, annotations={"example.com/contact": "ops@example.com"}),
        quota(name, "compute", hard=HARD),
        quota(name, "storage", hard={"requests.storage": "100Gi", "pods": "30"}),
        quota(name, "idle", hard={"pods": "5"}, scopes=["BestEffort"]),
        limits(
            name,
            {
                "type": "Container",
                "default": {"memory": "512Mi"},
                "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
                "max": {"memory": "4Gi"},
            },
        ),
        binding(name, "admin", group("physics-leads")),
        binding(name, "view", group("auditors"), account("robot", name)),
        binding(name, "deployer", group("deployers"), kind="Role"),
        policy(name, "deny", policyTypes=["Ingress", "Egress"]),
        policy(
            name,
            "allow",
            policyTypes=["Ingress", "Egress"],
            ingress=[INSIDE, {"from": [called(SHOP)], "ports": [{"port": 8080}]}],
            egress=[{"to": [{"ipBlock": {"cidr": "10.20.0.0/16"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}],
        ),
    ]


BY_HAND = [
    *lab(PROD),
    *lab(DEV),
    namespace(SHOP, ALL_SECURITY),
    namespace(OPEN),
    namespace("wiki"),
]


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with ControlPlane() as plane:
        cluster = prepare(plane)
        for each in BY_HAND:
            cluster.make(each)
        names = {each["metadata"]["namespace"] for each in BY_HAND if each["kind"] == "ResourceQuota"}
        wait_for(lambda: all(_counted(cluster, name) for name in names), "quotas are counted")
        yield cluster


def _counted(live: Live, name: str) -> bool:
    found = live.read(f"/api/v1/namespaces/{name}/resourcequotas") or {}
    return all("used" in each.get("status", {}) for each in found["items"])


@pytest.fixture
def inventory(tmp_path: Path, live: Live) -> Path:
    """An organisation with the cluster and without tenants."""
    root = tmp_path / "inventory"
    kubeconfig = str(live.kubeconfig())
    here = {**CLUSTERS[CLUSTER], "cluster_delivery": "live", "cluster_kubeconfig": kubeconfig}
    for path, content in (
        ("hosts.yml", {"all": {"children": {"clusters": {"hosts": {CLUSTER: {}}}}}}),
        ("group_vars/all/fleet.yml", {"fleet_name": "import"}),
        (f"host_vars/{CLUSTER}.yml", here),
    ):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return root


def imported(inventory: Path, *arguments: str, **variables: Any) -> Run:
    given = {"import_clusters": [CLUSTER], "import_namespaces": ["physics-*", "shop-*", "old-*", "wiki"], **variables}
    return play("import", *arguments, inventory=inventory, **given)


def compiled(inventory: Path) -> Fleet:
    source, _folder = read_source(inventory)
    fleet = compile_fleet(source, today=TODAY)
    assert [problem.render() for problem in fleet.problems.errors] == []
    return fleet


def objects_of(fleet: Fleet) -> dict[str, list[Object]]:
    return {
        e.namespace: environment_objects(e, fleet.clusters[CLUSTER], fleet.settings) for e in fleet.on_cluster(CLUSTER)
    }


def stored(live: Live, name: str) -> Object:
    """What the API server enforces of the hand-made kind."""
    paths = [f"/api/v1/namespaces/{name}/{plural}" for plural in ("resourcequotas", "limitranges")]
    found: list[Object] = []
    for path, kind in zip(paths, ("ResourceQuota", "LimitRange"), strict=True):
        found += [{**each, "kind": kind} for each in (live.read(path) or {})["items"]]
    return in_force(found)


def folder(inventory: Path) -> dict[str, str]:
    tenants = inventory / "group_vars/all/tenants"
    return {each.name: each.read_text(encoding="utf-8") for each in tenants.iterdir()} if tenants.exists() else {}


def accept(told: str) -> list[str]:
    """Does what the report says about tenants that are not taken over yet."""
    named = re.findall(r"^\s+(\S+\.yml):(\d+)$", told, re.MULTILINE)
    for path, number in named:
        lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
        lines[int(number) - 1] = lines[int(number) - 1].replace("never", "if_identical")
        Path(path).write_text("".join(lines), encoding="utf-8")
    return sorted(Path(path).name for path, _number in named)


@pytest.mark.slow
def test_check_mode_shows_the_files_and_writes_nothing(live: Live, inventory: Path) -> None:
    mark = live.plane.audit.mark()
    shown = imported(inventory, "--check", "--diff")
    assert (shown.code, shown.changed) == (0, 1), shown.out
    assert folder(inventory) == {}
    assert "would be written" in shown.out
    done = imported(inventory)
    assert done.code == 0, done.out
    for text in folder(inventory).values():
        for line in text.splitlines():
            assert f"+{line}" in shown.lines
    asked = [event for event in live.plane.audit_events(mark, user=PROVISIONER) if event.get("objectRef")]
    verbs = [event["verb"] for event in asked]
    assert set(verbs) == {"list"}
    assert len(verbs) == 2 * 6, "one LIST for each kind and run"


def test_a_second_import_changes_nothing_and_edits_are_kept(inventory: Path) -> None:
    assert imported(inventory).changed == 1
    file = inventory / "group_vars/all/tenants/physics.yml"
    again = imported(inventory)
    assert (again.code, again.changed) == (0, 0), again.out
    edited = file.read_text(encoding="utf-8").replace("  id: physics\n", "  id: physics\n  display_name: Mine\n")
    file.write_text(edited, encoding="utf-8")
    kept = imported(inventory)
    assert (kept.code, kept.changed) == (0, 0), kept.out
    assert file.read_text(encoding="utf-8") == edited
    assert imported(inventory, import_overwrite=True).changed == 1
    assert "Mine" not in file.read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_overwrite_never_loses_environments(inventory: Path) -> None:
    imported(inventory)
    file = inventory / "group_vars/all/tenants/physics.yml"
    before = file.read_text(encoding="utf-8")
    run = imported(inventory, import_overwrite=True, import_namespaces=[PROD])
    assert (run.code, run.changed) == (0, 0), run.out
    assert "physics/lab/dev" in re.sub(r"\s+", " ", run.out)
    assert file.read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_tenants_that_the_inventory_refuses_are_not_written(inventory: Path) -> None:
    host = inventory / f"host_vars/{CLUSTER}.yml"
    host.write_text(host.read_text(encoding="utf-8").replace("cpu: '1000'", "cpu: '1'"), encoding="utf-8")
    run = imported(inventory)
    assert run.code == 0, run.out
    assert "physics refused: the inventory would have errors" in re.sub(r"\s+", " ", run.out)
    assert "physics.yml" not in folder(inventory)
    assert play("validate", inventory=inventory).code == 0
    assert imported(inventory, import_write_invalid=True).code == 0
    assert "physics.yml" in folder(inventory)
    assert play("validate", inventory=inventory).code != 0


@pytest.mark.slow
def test_a_mapping_file_and_a_tenant_that_is_there_already(inventory: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.yml"
    names.write_text(f"{PROD}: physics-lab/prod/x\n{DEV}: physics/lab/dev\n", encoding="utf-8")
    run = imported(inventory, import_mapping=str(names), import_namespaces=[PROD, DEV])
    assert "is called 'physics-lab-prod-x', not 'physics-lab-prod'" in re.sub(r"\s+", " ", run.out)
    before = folder(inventory)
    assert ("name: dev" in before["physics.yml"], "name: prod" in before["physics.yml"]) == (True, False)
    later = imported(inventory, import_namespaces=[PROD, DEV])
    assert (later.code, later.changed) == (0, 0), later.out
    assert "there is a tenant of this name already" in re.sub(r"\s+", " ", later.out)
    assert folder(inventory) == before


def test_everything_that_is_not_taken_over_is_listed(inventory: Path) -> None:
    run = imported(inventory)
    text = re.sub(r"\s+", " ", run.out)
    assert f"RoleBinding {DEV}/deployer, {PROD}/deployer, roleRef: it grants the Role deployer" in text
    assert "Namespace wiki, metadata.name: " in text
    assert f"Namespace {OPEN}, {SHOP}, network.allow_from: everything may connect to it today" in text
    assert "COULD NOT BE EXPRESSED (3)" in text
    assert sorted(folder(inventory)) == ["old.yml", "physics.yml", "shop.yml"]


def test_what_was_imported_validates_and_means_the_same(live: Live, inventory: Path) -> None:
    imported(inventory)
    assert play("validate", inventory=inventory).code == 0
    new = objects_of(compiled(inventory))
    assert sorted(new) == sorted([PROD, DEV, SHOP, OPEN])
    for name in (PROD, DEV):
        old, ours = stored(live, name), in_force(new[name])
        assert ours["hard"] == {**old["hard"], "pods": "20"}
        assert (ours["scoped"], ours["limits"]) == (old["scoped"], old["limits"])
        assert ours["rights"] == {
            ("admin", "Group", None, "physics-leads"),
            ("view", "Group", None, "auditors"),
            ("view", "ServiceAccount", name, "robot"),
        }
        ports = {rule[2] for rule in ours["rules"] if "10.20.0.0/16" in rule[1]}
        assert ports == {"[('port', 5432), ('protocol', 'TCP')]"}


@pytest.mark.slow
def test_manifests_give_the_same_files_as_the_cluster(live: Live, inventory: Path, tmp_path: Path) -> None:
    imported(inventory)
    from_cluster = folder(inventory)
    for name in from_cluster:
        (inventory / "group_vars/all/tenants" / name).unlink()
    dump = tmp_path / "dump"
    dump.mkdir()
    lists = (
        ("v1", "Namespace", "/api/v1/namespaces"),
        ("v1", "ResourceQuota", "/api/v1/resourcequotas"),
        ("v1", "LimitRange", "/api/v1/limitranges"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", "/apis/rbac.authorization.k8s.io/v1/rolebindings"),
        ("networking.k8s.io/v1", "NetworkPolicy", "/apis/networking.k8s.io/v1/networkpolicies"),
    )
    for api, kind, path in lists:
        items = [{"apiVersion": api, "kind": kind, **each} for each in (live.read(path) or {})["items"]]
        (dump / f"{kind}.json").write_text(json.dumps({"kind": "List", "items": items}), encoding="utf-8")
    run = imported(inventory, import_manifests=str(dump))
    assert run.code == 0, run.out
    assert folder(inventory) == from_cluster


def test_adoption_changes_no_quota_and_no_limit(live: Live, inventory: Path) -> None:
    """The last one: from here on the namespaces are ours."""
    live.edit(f"/api/v1/namespaces/{OPEN}", {"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}})
    told = imported(inventory).out
    foretold = re.sub(r"\s+", " ", told)
    assert f"Namespace {OPEN}, metadata: a namespace of this name is there already and belongs to another" in foretold
    before = {name: stored(live, name) for name in (PROD, DEV)}
    untouched = live.run(objects_of(compiled(inventory))[SHOP])
    assert untouched["failed"] is True, "the baseline would isolate it, and nobody has accepted that"
    assert live.read(f"/apis/networking.k8s.io/v1/namespaces/{SHOP}/networkpolicies")["items"] == []  # type: ignore[index]
    assert accept(told) == ["old.yml", "shop.yml"], "nothing of physics would change"
    objects = [o for name, items in objects_of(compiled(inventory)).items() if name != OPEN for o in items]
    # tenants now grant other roles, which an administrator lets the provisioner bind
    for target in provisioner_objects(compiled(inventory), CLUSTER):
        live.claim(target, "self-provisioning")
    result = live.run(objects)
    # ... which is in force a moment later
    refused = [row for row in result["objects"] if row["action"] in ("failed", "skipped")]
    assert {row["kind"] for row in refused} <= {"RoleBinding"}, refused
    wait_for(lambda: not live.run(objects)["failed"], f"done: {refused}")
    adopted = {row[1] for row in rows(result) if row[0] == "Namespace" and row[2] == "updated"}
    assert adopted == {PROD, DEV, SHOP}
    for name in (PROD, DEV):
        after = stored(live, name)
        assert after["hard"] == {**before[name]["hard"], "pods": "20"}
        assert after["limits"] == before[name]["limits"]
        assert set(map(str, after["scoped"])) == set(map(str, before[name]["scoped"]))
    assert live.run(objects)["changed"] is False
    # a namespace of another tool is refused, as the import had said
    assert live.run(objects_of(compiled(inventory))[OPEN])["failed"] is True
    assert live.read(f"/api/v1/namespaces/{OPEN}/resourcequotas")["items"] == []  # type: ignore[index]

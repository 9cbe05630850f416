# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks provisioner_access and access, run as people run them, against a real API server."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.access import rows as report_rows

from .asked import RBAC, Object, at, binding
from .delivered import ICE, LAB, SHOP, Delivered, bundle_of, compiled, source
from .governed import CLUSTER, wait_for
from .playbooks import Run, ansible, play

TODAY = "2026-11-01"
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,}")


@pytest.fixture(scope="module")
def inventory(delivered: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The organisation as an operator keeps it."""
    root = tmp_path_factory.mktemp("organisation")
    given = source()
    release = {"cluster_release_line": delivered.line, "cluster_delivery": "live"}
    files: dict[str, Any] = {
        "hosts.yml": {"all": {"children": {"clusters": {"hosts": {CLUSTER: {"ansible_connection": "local"}}}}}},
        "group_vars/all/fleet.yml": dict(given.settings),
        f"host_vars/{CLUSTER}.yml": {**given.clusters[CLUSTER], **release},
        **{f"group_vars/all/tenants/{name}.yml": {name: value} for name, value in given.tenants.items()},
    }
    for value in given.tenants.values():
        for project in value["projects"]:
            for environment in project["environments"]:
                environment.setdefault("placement", {"clusters": [CLUSTER]})
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return root


def prepare(inventory: Path, *arguments: str, **variables: Any) -> Run:
    run = play("provisioner_access", *arguments, inventory=inventory, **variables)
    assert TOKEN.search(run.out) is None, "a token was printed"
    return run


@pytest.fixture(scope="module")
def login(delivered: Delivered, inventory: Path) -> Iterator[Path]:
    """The provisioner's own kubeconfig, which may ask for reviews as well."""
    path = inventory.parent / f"{inventory.name}-login.json"
    admin = str(delivered.plane.kubeconfig)
    more = {"provisioner_kubeconfig": admin, "provisioner_login": str(path), "provisioner_access_reviews": True}
    run = prepare(inventory, "-vvv", **more)
    assert (run.code, run.changed) == (0, 1), run.out
    yield path
    assert prepare(inventory, provisioner_kubeconfig=admin).code == 0


@pytest.mark.slow
def test_without_an_administrator_the_manifest_is_shown(inventory: Path) -> None:
    run = prepare(inventory)
    assert (run.code, run.changed) == (0, 0), run.out
    assert "kind: ClusterRoleBinding" in run.out
    assert "escalate" not in run.out
    rules = [line for line in run.lines if line.strip() in ('- "*"', "- '*'")]
    assert len(rules) <= 8, "only the policies' own match rules have a star"


@pytest.mark.slow
def test_the_manifest_as_a_file(inventory: Path, tmp_path: Path) -> None:
    path = tmp_path / "{cluster}.yaml"
    first, second = (prepare(inventory, provisioner_manifest=str(path)) for _unused in range(2))
    assert (first.code, first.changed, second.changed) == (0, 1, 0), first.out
    written = list(yaml.safe_load_all((tmp_path / f"{CLUSTER}.yaml").read_text(encoding="utf-8")))
    roles = {each["metadata"]["name"]: each for each in written if each["kind"] == "ClusterRole"}
    verbs = {verb for rule in roles["self-provisioning-provisioner"]["rules"] for verb in rule["verbs"]}
    assert verbs == {"bind", "create", "delete", "get", "list", "patch", "watch"}


@pytest.mark.slow
def test_what_is_installed_stays(delivered: Delivered, inventory: Path, login: Path) -> None:
    """A second run changes nothing and keeps the login; a trial finds what somebody widened, a run takes it back."""
    admin = str(delivered.plane.kubeconfig)
    more: Object = {"provisioner_kubeconfig": admin, "provisioner_access_reviews": True}
    before = login.read_bytes()
    again = prepare(inventory, provisioner_login=str(login), **more)
    assert (again.code, again.changed, login.read_bytes()) == (0, 0, before), again.out
    path = f"/apis/{RBAC}/v1/clusterroles/self-provisioning-provisioner"
    widened = {"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}
    merge = "application/merge-patch+json"
    assert delivered.plane.admin.request("PATCH", path, widened, content_type=merge)[0] == 200
    trial = prepare(inventory, "--check", "--diff", **more)
    assert (trial.code, trial.changed) == (0, 1), trial.out
    assert "-  - secrets" in trial.out
    assert delivered.get(path)["rules"] == widened["rules"]
    assert prepare(inventory, **more).changed == 1
    assert "secrets" not in json.dumps(delivered.get(path)["rules"])


def test_the_login_is_private_and_ends(delivered: Delivered, inventory: Path, login: Path, tmp_path: Path) -> None:
    assert login.stat().st_mode & 0o777 == 0o600
    config = json.loads(login.read_text(encoding="utf-8"))
    user = config["users"][0]["user"]
    assert list(user) == ["token"]
    assert config["clusters"][0]["cluster"]["server"] == delivered.plane.server
    path = tmp_path / "short.json"
    options: Object = {"provisioner_kubeconfig": str(delivered.plane.kubeconfig), "provisioner_login": str(path)}
    assert prepare(inventory, provisioner_expiration_seconds=60, **options).code == 2
    assert not path.exists()


def test_everything_can_be_delivered_with_that_login(delivered: Delivered, inventory: Path, login: Path) -> None:
    """The module of every day, as that identity: what somebody broke is mended, and then there is nothing to do, nor
    anything of the rights to be pruned."""
    path = at("resourcequotas/tenant-quota")
    broken = {"spec": {"hard": {"pods": "999"}}}
    merge = "application/merge-patch+json"
    assert delivered.plane.admin.request("PATCH", path, broken, content_type=merge)[0] == 200
    options = {"kubeconfig": str(login), "today": TODAY, "prune": True}
    mended = module("tenants", inventory, options)
    assert (mended["changed"], mended["summary"]["updated"]) == (True, 1), mended
    assert delivered.get(path)["spec"]["hard"]["pods"] == "20"
    again = module("tenants", inventory, options)
    assert (again["changed"], again["objects"]) == (False, []), again


def module(name: str, inventory: Path, options: Object) -> Object:
    """What a module of ours returns when it runs for the cluster."""
    given = ("-i", str(inventory), "-a", json.dumps(options), "-m", f"k8s.self_provisioning.{name}")
    run = ansible("", CLUSTER, *given, ANSIBLE_FORCE_COLOR="0")
    assert run.code == 0, run.out
    answer: Object = yaml.safe_load(run.stdout.split("=>", 1)[1])
    return answer


def report(inventory: Path, login: Path, tmp_path: Path, **more: Any) -> tuple[Run, list[dict[str, str]]]:
    path = tmp_path / "access.csv"
    options = {"access_verify": True, "access_kubeconfigs": {CLUSTER: str(login)}, "tenants_today": TODAY, **more}
    run = play("access", inventory=inventory, access_csv=str(path), **options)
    return run, list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


def reviews(delivered: Delivered, mark: int) -> int:
    """How many questions the API server got; and that it got nothing else from the provisioner."""
    events = list(delivered.plane.audit_events(mark, user="system:serviceaccount:self-provisioning:provisioner"))
    resources = [event["objectRef"]["resource"] for event in events]
    assert set(resources) == {"subjectaccessreviews"}
    return len(resources)


def test_the_report_is_what_the_cluster_says(
    delivered: Delivered, inventory: Path, login: Path, tmp_path: Path
) -> None:
    mark = delivered.plane.audit.mark()
    run, rows = report(inventory, login, tmp_path)
    assert run.code == 0, run.out
    assert {row["verified"] for row in rows} == {"yes"}
    carol = next(row for row in rows if row["subject_name"] == "carol")
    assert (carol["namespace"], carol["can"], carol["until"]) == (LAB, "edit", "2026-12-24")
    assert carol["origin"] == "tenant__physics.projects[lab].environments[prod].grants[0]"
    assert f"{reviews(delivered, mark)} questions, 0 answers differ" in run.out
    assert re.search(r"all \d+ pairs of a subject and a namespace where it has no right", run.out)


#: An object that somebody makes behind our back, and what the report says then.
WRONG: list[tuple[str, str, Object, str]] = [
    (
        "a reader of another tenant",
        SHOP,
        binding({"kind": "Group", "apiGroup": RBAC, "name": "physics-leads"}, "tenant-viewer", name="spy"),
        f"Group physics-leads: get pods in {SHOP} is allowed, and should be denied",
    ),
    (
        "a viewer who edits",
        LAB,
        binding({"kind": "Group", "apiGroup": RBAC, "name": "physics-guests"}, "edit", name="more"),
        f"Group physics-guests: get secrets in {LAB} is allowed, and should be denied",
    ),
    (
        "everybody",
        ICE,
        binding({"kind": "Group", "apiGroup": RBAC, "name": "system:authenticated"}, "view", name="all"),
        f"User olga: get pods in {ICE} is allowed, and should be denied",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: str(wrong[0]))
def test_what_the_report_does_not_know_is_found(
    delivered: Delivered, inventory: Path, login: Path, tmp_path: Path, wrong: tuple[str, str, Object, str]
) -> None:
    what, namespace, made, says = wrong
    made = {**made, "metadata": {**made["metadata"], "namespace": namespace}}
    delivered.as_admin([made])
    try:
        run, _rows = report(inventory, login, tmp_path)
    finally:
        path = at(f"rolebindings/{made['metadata']['name']}", namespace, f"{RBAC}/v1")
        delivered.plane.admin.request("DELETE", path)
    assert run.code != 0, what
    assert says in run.out.replace("\\n", "\n")


def test_a_right_that_is_missing_is_found(delivered: Delivered, inventory: Path, login: Path, tmp_path: Path) -> None:
    path = at("rolebindings/tenant-admin-owners", SHOP, f"{RBAC}/v1")
    kept = delivered.get(path)
    delivered.plane.admin.request("DELETE", path)
    try:
        run, rows = report(inventory, login, tmp_path, access_subject="olga")
    finally:
        kept["metadata"] = {key: kept["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
        delivered.as_admin([kept])
    assert run.code != 0
    assert f"User olga: create rolebindings in {SHOP} is denied, and should be allowed" in run.out
    assert [(row["subject_name"], row["verified"]) for row in rows] == [("olga", "NO")]
    wait_for(lambda: delivered.send("olga", "GET", at("pods", SHOP))[0] == 200, "it is back")


def test_a_sample_says_that_it_is_one(inventory: Path, login: Path, tmp_path: Path) -> None:
    run, _rows = report(inventory, login, tmp_path, access_pairs=3)
    assert run.code == 0, run.out
    assert re.search(r"a sample of 3 of \d+ pairs", run.out)


def test_a_cluster_that_cannot_be_asked_is_no_success(inventory: Path, tmp_path: Path, login: Path) -> None:
    run, rows = report(inventory, login, tmp_path, access_kubeconfigs={})
    assert run.code != 0
    assert "no kubeconfig of it is known" in run.out
    assert "verified" not in rows[0]


def test_the_model_and_the_objects_agree(delivered: Delivered) -> None:
    """The report's rows are exactly the subjects and roles of the RoleBindings that are delivered."""
    reported = {
        (row["namespace"], row["role"], row["subject_kind"], row["subject_name"], row["subject_namespace"])
        for row in report_rows(compiled(delivered.line))
    }
    bound = {
        (each["metadata"]["namespace"], each["roleRef"]["name"], s["kind"], s["name"], s.get("namespace", ""))
        for each in bundle_of(delivered)
        if each["kind"] == "RoleBinding"
        for s in each["subjects"]
    }
    assert reported == bound

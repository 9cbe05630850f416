# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read: the texts of validate, plan, tenants, the demo and status, in real runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..control_plane.cluster import ControlPlane
from .live_cluster import (
    CLUSTER,
    CLUSTERS,
    HERE,
    PROVISIONER,
    SETTINGS,
    USER,
    Live,
    Object,
    prepare,
    tenant,
    wait_for,
)
from .playbooks import EXAMPLE, ROOT, Run, copy_example, edit, git, play, tree

DAY = "2026-11-21"
BIOLOGY = "group_vars/all/tenants/biology.yml"
WIDTH = 120
NEW_PROJECT = """\
  projects:
    - id: genome
      environments:
        - {name: dev, size: small}
"""
FACTS = "clusters/east-prod/config/kustomization.yaml"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "fleet"
    run = play("tenants", tenants_tree=root, tenants_init=True, tenants_today=DAY)
    assert run.code == 0, run.out
    return root


@pytest.fixture
def fleet(rendered: Path, tmp_path: Path) -> Path:
    shutil.copytree(rendered, tmp_path / "fleet", symlinks=True)
    return tmp_path / "fleet"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    return copy_example(tmp_path / "inventory")


def report(run: Run) -> list[str]:
    """What a task told, without Ansible's own lines."""
    lines = run.lines
    start = next(index for index, line in enumerate(lines) if line.startswith(("warning: ", "WHAT ", "Harbour ")))
    end = next(index for index in range(start, len(lines)) if re.match(r"(changed|ok): \[", lines[index]))
    return lines[start:end]


def last(run: Run) -> str:
    """The last paragraph of a report, as one line."""
    lines = report(run)
    return " ".join(lines[len(lines) - lines[::-1].index("") :])


def row(run: Run, name: str, heading: str) -> list[list[str]]:
    """A row of a table, and the one below it."""
    lines = run.lines
    start = next(index for index, line in enumerate(lines) if line.startswith(heading))
    at = next(index for index in range(start, len(lines)) if lines[index].split()[:1] == [name])
    return [lines[at].split(), lines[at + 1].split()]


def test_plan_of_a_small_change(fleet: Path, inventory: Path) -> None:
    edit(inventory / BIOLOGY, "  projects:\n", NEW_PROJECT)
    run = play("plan", inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
    assert run.code == 0, run.out
    told = report(run)
    assert [line for line in told if len(line) > WIDTH and not line.startswith("warning: ")] == []
    for expected in (
        "  tenant biology: biology-genome-dev created on shared-dev",
        "  cluster shared-dev: 1 namespace created; delivery changed",
        "PLACEMENTS DECIDED NOW (1)",
        "A month costs 263,839.80 HKD now and 264,283.80 after: 444.00 more.",
    ):
        assert expected in told, run.out
    assert row(run, "biology", "TENANTS") == [
        ["biology", "8", "-", "32Gi", "-", "600Gi", "-", "2,132.00"],
        ["→", "after", "12", "48Gi", "700Gi", "2,576.00"],
    ]
    assert row(run, "shared-dev", "CLUSTERS") == [
        ["shared-dev", "19", "55/360", "305", "220Gi/1575Gi", "1355Gi", "1740Gi/15Ti", "13620Gi", "6,744.00"],
        ["→", "after", "20", "59/360", "301", "236Gi/1575Gi", "1339Gi", "1840Gi/15Ti", "13520Gi", "7,188.00"],
    ]
    assert row(run, "ai-lab", "TENANT              LOCAL-NVME")[0] == ["ai-lab", "-", "9/12", "3"]
    assert row(run, "research-gpu", "CLUSTER       LOCAL-NVME")[0] == ["research-gpu", "-", "10/16", "6"]
    marked = [line for line in told if line.lstrip().startswith("→")]
    assert len(marked) == 5, "biology, science, shared-dev and the two totals"
    assert last(run).startswith(f"Would be done in {fleet}: 2 files created, ")


@pytest.mark.parametrize("tag", ["plan", "tenants_tree"])
def test_plan_by_its_tags(fleet: Path, tag: str) -> None:
    run = play("plan", "--tags", tag, tenants_tree=fleet, tenants_today=DAY)
    assert run.code == 0, run.out
    assert last(run).startswith(f"Nothing would change in {fleet}: "), run.out


@pytest.mark.slow
def test_files_of_others_and_edited_files_are_named(fleet: Path) -> None:
    (fleet / FACTS).write_text("# by hand\n")
    theirs = [f"clusters/west-prod/config/theirs-{index:02}.yaml" for index in range(13)]
    for name in theirs:
        (fleet / name).write_text("theirs\n")
    foreseen = play("plan", tenants_tree=fleet, tenants_today=DAY)
    run = play("tenants", tenants_tree=fleet, tenants_today=DAY)
    for each, title in ((foreseen, "CHANGED BY HAND, WOULD BE PUT BACK (1)"), (run, "CHANGED BY HAND, PUT BACK (1)")):
        assert each.code == 0, each.out
        told = report(each)
        assert told[told.index(title) + 1] == f"  {FACTS}"
        at = told.index("FILES OF OTHERS, LEFT ALONE (13)")
        assert told[at + 1 : at + 12] == [*(f"  {name}" for name in theirs[:10]), "  and 3 more"]
        assert "1 file put back after a change by hand" in last(each)
        assert "Nothing changed" not in each.out
        assert "Nothing would change" not in each.out


def test_a_limited_run_speaks_of_what_it_looked_at(fleet: Path) -> None:
    (fleet / FACTS).write_text("# by hand\n")
    limited = ("--limit", "west-prod", "--check")
    for run in (play("plan", *limited, tenants_tree=fleet, tenants_today=DAY),
                play("tenants", *limited, tenants_tree=fleet, tenants_today=DAY, tenants_commit=False)):  # fmt: skip
        assert run.code == 0, run.out
        assert last(run).startswith(f"Nothing would change in {fleet}: ")
        assert "of west-prod and of the fleet as a whole were as declared already; " in last(run)
        assert re.search(r"; [78] other clusters \(east-prod, .*\) were not looked at\.$", last(run)), run.out
        assert "CHANGED BY HAND" not in run.out


@pytest.mark.slow
def test_commit_push_and_record_are_told(fleet: Path, inventory: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    git(fleet, "remote", "add", "origin", str(remote))
    options = {"tenants_tree": fleet, "tenants_today": DAY, "inventory": inventory}

    run = play("tenants", tenants_push=True, **options)  # type: ignore[arg-type]
    assert "Done in" in last(run), run.out
    assert "earlier commits are pushed" in last(run)

    edit(inventory / BIOLOGY, "  projects:\n", NEW_PROJECT)
    run = play("tenants", tenants_commit=False, tenants_record_placements=True, **options)  # type: ignore[arg-type]
    assert "committed" not in last(run), run.out
    assert re.search(r"[0-9]+ tenant files given placements", last(run)), run.out

    run = play("tenants", tenants_push=True, **options)  # type: ignore[arg-type]
    head = git(fleet, "rev-parse", "HEAD")[:12]
    assert f"committed as {head}" in last(run), run.out
    assert "; pushed" in last(run)

    run = play("tenants", tenants_push=True, **options)  # type: ignore[arg-type]
    assert last(run).startswith(f"Nothing changed in {fleet}: "), run.out


def test_validate_counts_and_returns_problems_only(inventory: Path) -> None:
    run = play("validate", "-v")
    assert run.code == 0, run.out
    assert len(run.out) < 6000, "the result of the whole fleet is in the output"
    edit(inventory / BIOLOGY, "size: medium", "size: mediun")
    run = play("validate", "-v", inventory=inventory)
    assert run.code != 0
    assert "The inventory has 1 error, 2 warnings, listed above." in run.out, run.out
    assert len(run.out) < 6000
    assert not re.search(r"\b1 (errors|warnings|files|clusters|tenants|environments)\b", run.out)


@pytest.mark.slow
def test_fleet_info_returns_what_is_asked_for(tmp_path: Path) -> None:
    parts = {"problems", "clusters", "environments", "ledger"}
    asked: list[list[str]] = [[], ["problems"], ["ledger", "clusters"], sorted(parts)]
    tasks: list[Object] = [
        {"k8s.self_provisioning.fleet_info": {"gather": each}, "register": f"found_{index}"}
        for index, each in enumerate(asked)
    ]
    tasks.append({"k8s.self_provisioning.fleet_info": {}, "register": f"found_{len(asked)}"})
    keys = ", ".join(f"found_{index} | list" for index in range(len(tasks)))
    content = {"content": "{{ [" + keys + "] | to_json }}", "dest": str(tmp_path / "out.json")}
    tasks.append({"ansible.builtin.copy": content})
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    run = command(tmp_path, str(playbook), "-i", str(EXAMPLE))
    assert run.code == 0, run.out
    for wanted, found in zip([*asked, sorted(parts)], json.loads((tmp_path / "out.json").read_text()), strict=True):
        assert parts & {*found} == {*wanted}
        assert {"valid", "summary"} <= {*found}


def command(folder: Path, *arguments: str, program: str = "ansible-playbook") -> Run:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "K8S_AUTH_"))}
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / ".cache/collections")
    full = [str(Path(sys.executable).with_name(program)), *arguments]
    done = subprocess.run(
        full, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )  # fmt: skip
    return Run(done.returncode, done.stdout + done.stderr)


@pytest.mark.slow
def test_where_the_demo_says_to_look_next(tmp_path: Path) -> None:
    for name in (".cache", "inventories", "ansible.cfg"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/ansible-playbook").symlink_to(Path(sys.executable).with_name("ansible-playbook"))
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/demo", tmp_path / ".ci/demo")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
    environment["PATH"] = f"{tmp_path}/.venv/bin:{environment['PATH']}"

    def shell(line: str) -> str:
        done = subprocess.run(
            line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    shell(".ci/demo -e tenants_today=2026-11-21")
    lines = shell(".ci/demo -e tenants_today=2026-11-21").splitlines()
    assert any(line.startswith(f"Nothing changed in {tmp_path}/.demo/fleet: ") for line in lines)
    look, run = lines.index(f"Where to look next, from {tmp_path}"), lines.index("What to run next")
    looks = [line.split() for line in lines[look + 1 : run]]
    assert len(looks) == 4
    for path, *words in looks:
        assert (tmp_path / path).exists(), path
        assert words, path
    runs = [line.strip() for line in lines[run + 1 :] if line.startswith("  ") and not line.startswith("   ")]
    assert [shlex.split(line)[0] for line in runs] == ["git", ".venv/bin/ansible-playbook"]
    assert [bool(shell(line)) for line in runs] == [True, True]


# The live status


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with ControlPlane() as plane:
        yield prepare(plane)


def host(kubeconfig: Path | str, **more: Any) -> Object:
    return {**CLUSTERS[CLUSTER], "cluster_delivery": "live", "cluster_kubeconfig": str(kubeconfig), **more}


@pytest.fixture
def organisation(live: Live, tmp_path: Path) -> Path:
    """Two tenants on a real cluster, which is as declared; another cluster is lost, and one has no login."""
    small = {"cluster_capacity": {"cpu": "1", "memory": "1Gi"}}
    hosts = {
        "lost": host("/nowhere/kubeconfig", **small),
        CLUSTER: host(live.plane.kubeconfig_for(USER, ["system:masters"])),
        "silent": {**CLUSTERS[CLUSTER], **small},
    }
    tenants = {f"tenant__{name}": tenant(name, {"name": "prod", **HERE}) for name in ("physics", "chem")}
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(yaml.safe_dump({**SETTINGS, **tenants}))
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": hosts}}))
    run = status(tmp_path, "--limit", CLUSTER, "--tags", "live", verb="tenants")
    assert run.code == 0, run.out
    for name in ("physics-lab-prod", "chem-lab-prod"):
        quota = f"/api/v1/namespaces/{name}/resourcequotas/tenant-quota"
        wait_for(lambda quota=quota: (live.read(quota) or {}).get("status", {}).get("used"), f"{name} is counted")  # type: ignore[misc]
    return tmp_path


def status(folder: Path, *arguments: str, verb: str = "status", **variables: Any) -> Run:
    given = {"tenants_today": "2026-11-01", **variables}
    interpreter = {"ansible_python_interpreter": sys.executable}
    extra = json.dumps({**given, **interpreter})
    return command(folder, f"k8s.self_provisioning.{verb}", "-i", "hosts.yml", "-e", extra, *arguments)


def test_status_of_a_cluster_that_is_as_declared(organisation: Path) -> None:
    run = status(organisation, "--limit", CLUSTER, status_fail_on_drift=True)
    assert run.code == 0, run.out
    assert run.changed == 0
    assert re.search(rf"{CLUSTER}: 2 environments, [0-9]+ objects: as declared", run.out), run.out
    told = [line.split() for line in run.lines]
    at = told.index(["TENANT", "ENVIRONMENTS", "CPU", "MEMORY", "PODS"])
    assert told[at + 1 : at + 4] == [
        ["chem", "1", "0/4", "0/8Gi", "0/20"],
        ["physics", "1", "0/4", "0/8Gi", "0/20"],
        ["all", "2", "0/8", "0/16Gi", "0/40"],
    ]


def test_status_tells_drift_orphans_and_conditions_and_stops_at_no_cluster(live: Live, organisation: Path) -> None:
    quota = "/api/v1/namespaces/physics-lab-prod/resourcequotas/tenant-quota"
    live.edit(quota, {"spec": {"hard": {"pods": "7"}}}, who="somebody")
    live.send("DELETE", "/api/v1/namespaces/chem-lab-prod/limitranges/tenant-limits")
    marks = {"app.kubernetes.io/managed-by": "self-provisioning", "self-provisioning.internal/tenant": "physics"}
    left: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "left", "labels": marks}}
    left["metadata"] |= {"namespace": "physics-lab-prod"}  # type: ignore[operator]
    live.make(left)
    run = status(organisation)
    live.send("DELETE", "/api/v1/namespaces/physics-lab-prod/configmaps/left")
    assert run.code == 2, "a cluster is lost"
    for expected in (
        "1 object differs, 1 is missing, 1 is no longer declared",
        "DRIFT: DIFFERS FROM THE INVENTORY (1)",
        "ResourceQuota physics-lab-prod/tenant-quota: .spec.hard.pods is 7, declared 20 (somebody at ",
        "MISSING (1)",
        "LimitRange chem-lab-prod/tenant-limits",
        "ORPHANS: OURS, AND NO LONGER DECLARED (1)",
        "ConfigMap physics-lab-prod/left, carries our label but was not applied by us",
        "/nowhere/kubeconfig: there is no such file.",
        "silent: not looked at, there is no login.",
    ):
        assert expected in run.out, run.out
    assert re.search(r"silent +: ok=[0-9]+ +changed=0 +unreachable=0 +failed=0", run.out), "it comes by Git"
    assert re.search(rf"{CLUSTER} +: ok=[0-9]+ +changed=0 +unreachable=0 +failed=0", run.out), run.out

    assert status(organisation, "--limit", CLUSTER).code == 0
    assert status(organisation, "--limit", CLUSTER, status_fail_on_drift=True).code == 2
    only = status(organisation, "--limit", CLUSTER, status_fail_on_drift="true", status_tenants=["chem"])
    assert only.code == 2, only.out
    assert "physics" not in only.out


@pytest.mark.parametrize(
    ("login", "arguments", "options", "failed"),
    [
        ({}, [], {}, False),
        ({}, [], {"status_fail_on_drift": True}, True),
        ({}, ["--limit", "silent"], {}, True),
        ({"cluster_delivery": "live"}, [], {}, True),
    ],
)
def test_a_cluster_without_a_login(
    tmp_path: Path, login: Object, arguments: list[str], options: Object, failed: bool
) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(yaml.safe_dump({**SETTINGS, "tenant__physics": tenant("physics")}))
    hosts = {"silent": {**CLUSTERS[CLUSTER], **login}, "quiet": CLUSTERS[CLUSTER]}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": hosts}}))
    run = status(tmp_path, *arguments, **options)
    assert "silent: not looked at, there is no login." in run.out
    assert (run.code == 2) is failed, run.out


def test_status_with_other_logins(live: Live, organisation: Path) -> None:
    login = organisation / f"{CLUSTER}.kubeconfig"
    shutil.copy(live.plane.kubeconfig_for(USER, ["system:masters"]), login)
    every = organisation / "{cluster}.kubeconfig"
    assert status(organisation, "--limit", f"{CLUSTER},silent", status_kubeconfig=str(every)).code == 2
    assert status(organisation, "--limit", CLUSTER, status_kubeconfig=str(every)).code == 0
    run = status(organisation, status_kubeconfig=str(login))
    assert run.code == 2
    assert "status_kubeconfig is one file for 3 clusters" in run.out
    assert "USED/QUOTA" not in run.out


def test_status_goes_on_and_says_so_where_addresses_may_not_be_read(live: Live, organisation: Path) -> None:
    """The provisioner's rights are enough for the tenants, and not for every Service."""
    hosts = {CLUSTER: host(live.plane.kubeconfig_for(PROVISIONER), cluster_services={"metallb": {}})}
    (organisation / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": hosts}}))
    services = {"fleet_services": {"metallb": {"namespace": "metallb-system"}}}
    (organisation / "group_vars/clusters.yml").write_text(yaml.safe_dump(services))
    run = status(organisation)
    assert run.code == 0, run.out
    assert "The addresses for Services were not looked at." in run.out
    assert "services is forbidden" in " ".join(run.out.split())
    assert f"{CLUSTER}: 2 environments" in run.out
    assert re.search(rf"{CLUSTER} +: .*failed=0 .*ignored=0", run.out), run.out


def test_the_tree_of_a_plan_is_not_touched(fleet: Path, inventory: Path) -> None:
    before = tree(fleet)
    edit(inventory / BIOLOGY, "  projects:\n", NEW_PROJECT)
    run = play("plan", "--diff", inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
    assert run.code == 0
    assert tree(fleet) == before
    # what sums it up is the last thing on the screen
    assert run.out.count("+++ b/placements.yaml") == 1, run.out
    assert run.out.index("+++ b/placements.yaml") < run.out.index("WHAT WOULD CHANGE")
    assert last(run).startswith(f"Would be done in {fleet}: "), run.out

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet filters: what they answer, how they fail, and a real playbook run, where values are of Ansible's types."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from .organisation import COLLECTIONS, DAY, FILTERS, RECORDED, broken, hostvars, source


def test_tenancy_gathers_settings_tenants_and_clusters() -> None:
    assert FILTERS["tenancy"](hostvars()) == source()


def test_effective() -> None:
    answer = FILTERS["effective"](source(), "physics/lab-sim/prod", DAY)
    assert answer["namespace"] == "physics-lab-sim-prod"
    assert answer["quota"] == {"requests.cpu": "8", "requests.memory": "16Gi"}
    assert answer["values"]["pod_security"]["enforce"] == "restricted"
    here = "tenant__physics.projects[lab-sim].environments[prod]"
    assert answer["provenance"]["resource_quota.hard.requests.cpu"] == [f"{here}.resource_quota.hard.cpu"]
    assert answer["provenance"]["resource_quota.hard.requests.memory"] == [
        "fleet_sizes.small.resource_quota.hard['requests.memory']"
    ]


def test_placements() -> None:
    answer = FILTERS["placements"](source(), DAY)
    assert {key: placement["clusters"] for key, placement in answer.items()} == {
        "physics/lab-sim/dev": ["east-dev"],
        "physics/lab-sim/prod": ["east-prod"],
    }
    prod = answer["physics/lab-sim/prod"]
    assert prod["reason"] == "east-prod (80 % stays free): most room of 2 that meet every rule"
    assert prod["candidates"][-1] == {
        "cluster": "east-dev",
        "free_share": None,
        "rule": "environment",
        "detail": "it serves dev; prod is needed",
    }


def test_cluster_objects() -> None:
    objects = FILTERS["cluster_objects"](source(), "east-prod", DAY)
    named = {(each["kind"], each["metadata"]["name"]) for each in objects}
    assert ("Namespace", "physics-lab-sim-prod") in named
    assert ("Namespace", "physics-lab-sim-dev") not in named
    assert ("ClusterRole", "tenant-admin") in named
    quota = next(each for each in objects if each["kind"] == "ResourceQuota")
    assert quota["spec"]["hard"] == {"requests.cpu": "8", "requests.memory": "16Gi"}


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("environment", ["physics/lab-sim/dev", "physics/lab-sim/prod"]),
        ("tenant", ["physics"]),
        ("cluster", ["east-dev", "east-prod", "west-prod"]),
        (None, ["physics/lab-sim/dev", "physics/lab-sim/prod", "physics", "east-dev", "east-prod", "west-prod"]),
    ],
)
def test_ledger(scope: str | None, names: list[str]) -> None:
    rows = FILTERS["ledger"](source(), scope, DAY)
    assert [row["name"] for row in rows] == names


def test_ledger_row() -> None:
    (row,) = FILTERS["ledger"](source(), "tenant", DAY)
    assert row["month"] == "120.00"
    assert row["resources"]["requests.cpu"] == {"committed": "12", "budget": "16", "free": "4"}


def test_the_day_decides_what_counts() -> None:
    inventory = source()
    grant = {"kind": "quota", "hard": {"requests.cpu": "+2"}, "expires_at": "2026-12-24", "reason": "exam peak"}
    inventory["tenants"]["tenant__physics"]["projects"][0]["environments"][0]["grants"] = [grant]
    cpu = [
        FILTERS["effective"](inventory, "physics/lab-sim/dev", day)["quota"]["requests.cpu"]
        for day in ("2026-12-23", "2026-12-24")
    ]
    assert cpu == ["6", "4"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What an earlier run has left: an environment on the other cluster, and one that is gone."""
    entries = {**RECORDED, "physics/old/prod": {"clusters": ["east-prod"], "retained": True, "quota": {"cpu": "30"}}}
    (tmp_path / "placements.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    return tmp_path


def contents(folder: Path) -> dict[Path, tuple[int, int, bytes]]:
    """What would show a write."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_what_a_tree_records_holds_in_every_filter(tree: Path) -> None:
    before = contents(tree)
    fleet = FILTERS["tenancy"](hostvars(), tree=str(tree))
    assert contents(tree) == before, "it is only read"
    prod = FILTERS["placements"](fleet, DAY)["physics/lab-sim/prod"]
    assert (prod["clusters"], prod["origin"], prod["decided_at"]) == (["west-prod"], "recorded", "2026-01-02")
    spaces = {
        name: [o["metadata"]["name"] for o in FILTERS["cluster_objects"](fleet, name, DAY) if o["kind"] == "Namespace"]
        for name in ("east-prod", "west-prod")
    }
    assert spaces == {"east-prod": [], "west-prod": ["physics-lab-sim-prod"]}
    assert FILTERS["effective"](fleet, "physics/lab-sim/prod", DAY)["placement"]["clusters"] == ["west-prod"]
    rows = {(row["name"], row.get("cluster")): row for row in FILTERS["ledger"](fleet, None, DAY)}
    assert rows["physics/old/prod", "east-prod"]["state"] == "retained"
    assert rows["east-prod", None]["resources"]["requests.cpu"]["committed"] == "30"
    assert {row["cluster"] for row in FILTERS["access"](fleet, today=DAY) if row["environment"] == "prod"} == {
        "west-prod"
    }


def test_a_tree_that_is_not_there_yet_records_nothing(tmp_path: Path) -> None:
    assert FILTERS["tenancy"](hostvars(), str(tmp_path / "none")) == {**source(), "recorded": {}}


def test_a_damaged_tree_is_told_as_by_the_module(tmp_path: Path) -> None:
    (tmp_path / "placements.yaml").write_text("<<<<<<< HEAD\n")
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS["tenancy"](hostvars(), str(tmp_path))
    assert str(caught.value).startswith(f"k8s.self_provisioning.tenancy: {tmp_path}/placements.yaml: it is not ")
    assert "git checkout HEAD -- placements.yaml" in str(caught.value)


def test_who_set_the_role_of_owners() -> None:
    inventory = source()
    assert "owner_role" not in FILTERS["effective"](inventory, "physics/lab-sim/dev", DAY)["provenance"]
    inventory["settings"]["fleet_defaults"]["owner_cluster_role"] = "tenant-admin"
    told = FILTERS["effective"](inventory, "physics/lab-sim/dev", DAY)["provenance"]["owner_role"]
    assert told == ["fleet_defaults.owner_cluster_role"]
    inventory["tenants"]["tenant__physics"].update(parent="science")
    inventory["tenants"]["tenant__science"] = {"id": "science", "owner_cluster_role": "edit"}
    answer = FILTERS["effective"](inventory, "physics/lab-sim/dev", DAY)
    assert (answer["values"]["owner_role"], answer["provenance"]["owner_role"]) == (
        "edit",
        ["tenant__science.owner_cluster_role"],
    )
    inventory["tenants"]["tenant__physics"]["owner_cluster_role"] = "admin"
    answer = FILTERS["effective"](inventory, "physics/lab-sim/dev", DAY)
    assert (answer["values"]["owner_role"], answer["provenance"]["owner_role"]) == (
        "admin",
        ["tenant__physics.owner_cluster_role"],
    )


WITHOUT = """
import sys
sys.modules[{library!r}] = None
from ansible.errors import AnsibleFilterError
from ansible_collections.k8s.self_provisioning.plugins.filter.fleet import FilterModule
try:
    FilterModule().filters()["{name}"](*{arguments!r})
except AnsibleFilterError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("library", "name"), [("jsonschema", "ledger"), ("fastjsonschema", "ledger"), ("yaml", "tenancy")]
)
def test_a_library_that_is_missing_is_named(library: str, name: str, tree: Path) -> None:
    # the schema's words are only looked up for a file that breaks it
    arguments = (hostvars(), str(tree)) if name == "tenancy" else (broken(display_name=3), None, DAY)
    script = WITHOUT.format(library=library, name=name, arguments=arguments)
    if library == "yaml":
        # Ansible itself needs it; it goes when Ansible is there
        script = script.replace("import sys\n", "import sys\nimport ansible.plugins.action\n")
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == (
        f"k8s.self_provisioning.{name}: The Python library {library} is needed on the controller. Install what "
        "requirements.txt of the collection k8s.self_provisioning lists.\n"
    )

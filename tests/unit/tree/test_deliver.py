# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an inventory to a committed tree: the layout, and one run over it."""

from __future__ import annotations

import copy
import csv
import io
from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import deliver, layout, paths, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .delivering import GIT, cluster, compiler, git, inventory, run
from .support import disk, stamps


def test_the_layout(tmp_path: Path) -> None:
    run(tmp_path, inventory())
    tenants = [
        f"clusters/east-dev/tenants/{name}.yaml"
        for name in (
            "bio-lab/bio-lab-lab-dev",
            "bio-lab/kustomization",
            "physics/kustomization",
            "physics/physics-lab-dev",
            "physics/physics-lab-test",
        )
    ]
    assert list(disk(tmp_path)) == sorted(
        [
            paths.MANIFEST,
            "README.md",
            "ledger.csv",
            "placements.yaml",
            *(
                f"policies/{line}/{name}.yaml"
                for line in ("1.30", "1.35")
                for name in ("admission-policies", "cluster-roles", "kustomization")
            ),
            *(
                f"clusters/{c}/{name}.yaml"
                for c in ("east-dev", "west-prod")
                for name in ("kustomization", "config/cluster-facts", "config/kustomization", "config/kustomizations")
            ),
            "clusters/east-dev/apps/kustomization.yaml",
            "clusters/east-dev/apps/shop.yaml",
            "clusters/east-dev/network/kustomization.yaml",
            "clusters/east-dev/network/load-balancer-pools.yaml",
            "clusters/east-dev/platform/kustomization.yaml",
            *(
                f"clusters/east-dev/platform/{s}/{name}.yaml"
                for s in ("cert-manager", "metallb")
                for name in ("kustomization", "release")
            ),
            *tenants,
        ]
    )


def test_every_kustomization_names_exactly_what_stands_beside_it(tmp_path: Path) -> None:
    run(tmp_path, inventory())
    flux = []
    for folder in {path.parent for path in tmp_path.rglob("kustomization.yaml")}:
        listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
        beside = {path.name for path in folder.iterdir()} - {"kustomization.yaml"}
        if folder.parent.name == paths.CLUSTERS:
            assert listed == ["config"]
        else:
            assert sorted(listed) == sorted(beside)
    for file in tmp_path.rglob("kustomizations.yaml"):
        flux += [each["spec"]["path"] for each in yaml.safe_load_all(file.read_text())]
    assert flux
    assert all((tmp_path / path / "kustomization.yaml").is_file() for path in flux), "Flux finds what it is sent to"


def test_flux_itself_is_included_once_it_is_there(tmp_path: Path) -> None:
    run(tmp_path, inventory())
    folder = tmp_path / "clusters/east-dev/flux-system"
    folder.mkdir()
    (folder / "gotk-sync.yaml").write_text("x")
    assert not run(tmp_path, inventory()).changed, "without a kustomization.yaml kustomize could not read it"
    (folder / "kustomization.yaml").write_text("x")
    outcome = run(tmp_path, inventory())
    assert outcome.tree
    assert outcome.tree.updated == ["clusters/east-dev/kustomization.yaml"]
    assert outcome.tree.foreign == []
    resources = yaml.safe_load((tmp_path / "clusters/east-dev/kustomization.yaml").read_text())["resources"]
    assert resources == ["config", "flux-system"]


def test_twice_is_byte_identical_and_the_second_run_touches_nothing(tmp_path: Path) -> None:
    run(tmp_path / "1", inventory(), git=GIT)
    run(tmp_path / "2", copy.deepcopy(inventory()), git=GIT)
    assert disk(tmp_path / "1") == disk(tmp_path / "2")
    before = {path: stamp for path, stamp in stamps(tmp_path / "1").items() if not path.startswith(".git")}
    outcome = run(tmp_path / "1", inventory(), git=GIT)
    assert (outcome.changed, outcome.commit, outcome.message) == (False, "", "")
    assert outcome.tree
    assert outcome.tree.diff == ""
    assert {path: stamp for path, stamp in stamps(tmp_path / "1").items() if not path.startswith(".git")} == before


def test_one_tenant_changes_only_its_files_and_the_account(tmp_path: Path) -> None:
    run(tmp_path, inventory(), git=GIT)
    data = inventory()
    data["tenants"]["tenant__physics"]["projects"][0]["environments"].append({"name": "demo", "stage": "dev"})
    outcome = run(tmp_path, data, git=GIT)
    assert outcome.tree
    assert outcome.tree.created == ["clusters/east-dev/tenants/physics/physics-lab-demo.yaml"]
    assert outcome.tree.updated == [
        "clusters/east-dev/tenants/physics/kustomization.yaml",
        "ledger.csv",
        "placements.yaml",
    ]
    assert git(tmp_path, "log", "-1", "--format=%s").strip() == "physics: lab-demo created on east-dev"
    assert outcome.commit == git(tmp_path, "rev-parse", "HEAD").strip()
    del data["tenants"]["tenant__bio_lab"]
    outcome = run(tmp_path, data, git=GIT)
    assert outcome.message.splitlines()[0] == "bio-lab: lab-dev removed; namespace and data stay on east-dev"
    assert not (tmp_path / "clusters/east-dev/tenants/bio-lab").exists()
    assert git(tmp_path, "status", "--porcelain") == ""


def test_placements_stay(tmp_path: Path) -> None:
    run(tmp_path, inventory())
    data = inventory()
    data["clusters"]["a-new-and-empty-one"] = cluster("dev", cluster_capacity={"cpu": "9000", "memory": "90Ti"})
    outcome = run(tmp_path, data)
    assert {e.placement.clusters for e in outcome.fleet.environments if e.placement} == {("east-dev",)}
    (tmp_path / "2").mkdir()
    fresh = run(tmp_path / "2", data)
    assert {e.placement.clusters for e in fresh.fleet.environments if e.placement} == {("a-new-and-empty-one",)}


def test_the_account_adds_up_and_is_safe_to_open(tmp_path: Path) -> None:
    run(tmp_path, inventory())
    rows = list(csv.DictReader(io.StringIO((tmp_path / "ledger.csv").read_text())))
    cpu = [row for row in rows if row["resource"] == "requests.cpu"]
    environments = [int(row["committed"]) for row in cpu if row["scope"] == "environment"]
    east = next(row for row in cpu if row["scope"] == "cluster" and row["name"] == "east-dev")
    assert (len(environments), sum(environments)) == (3, int(east["committed"]))
    assert (east["limit"], east["free"]) == ("100", "94")
    assert {row["cost_center"] for row in rows if row["scope"] == "environment"} == {"'=1+1"}


def test_an_inventory_with_problems_writes_nothing(tmp_path: Path) -> None:
    data = inventory()
    data["tenants"]["tenant__physics"]["projects"][0]["environments"].append({"name": "prod", "size": "huge"})
    outcome = deliver.deliver(tmp_path / "tree", compiler(data), git=GIT)
    assert outcome.fleet.problems.errors
    assert (outcome.tree, outcome.changed) == (None, False)
    assert disk(tmp_path) == {}
    assert not (tmp_path / "tree/.git").exists()
    with pytest.raises(TreeError, match=r"the inventory: it has 1 problems\."):
        layout.layout(outcome.fleet)


def test_clusters_that_are_left_out_are_named(tmp_path: Path) -> None:
    run(tmp_path, inventory())
    assert run(tmp_path, inventory(), clusters=["east-dev"]).left_out == ["west-prod"]
    data = inventory()
    del data["clusters"]["west-prod"]
    assert run(tmp_path, data, clusters=["east-dev"]).left_out == ["west-prod"], "its folder is still there"


def test_placements_that_cannot_be_read(tmp_path: Path) -> None:
    run(tmp_path, inventory(), git=GIT)
    before = disk(tmp_path)
    (tmp_path / paths.PLACEMENTS).unlink()
    (tmp_path / paths.PLACEMENTS).mkdir()
    for check in (True, False):
        with pytest.raises(TreeError, match=r"placements\.yaml: it is not a file\. Move it away\."):
            deliver.deliver(tmp_path, compiler(inventory()), git=GIT, check=check)
    del before[paths.PLACEMENTS]
    assert disk(tmp_path) == before


def test_the_layout_is_a_mapping_that_sync_takes(tmp_path: Path) -> None:
    fleet = compiler(inventory())({})
    files = layout.layout(fleet)
    assert all(isinstance(value, (str, list)) for value in files.values())
    assert writer.sync(tmp_path / "1", files).created == writer.sync(tmp_path / "2", dict(files)).created
    assert disk(tmp_path / "1") == disk(tmp_path / "2")

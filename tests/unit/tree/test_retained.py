# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From run to run: what leaves the inventory keeps its place while its namespace stays; limited runs split nothing."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import PRUNE_DISABLED
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import deliver, paths
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.brake import Brake
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .delivering import Inventory, cluster, compiler, inventory, tenant
from .support import disk

DEV = "physics/lab/dev"
FILE = "clusters/{}/tenants/physics/physics-lab-dev.yaml"


def organisation(policy: str = "", *, on: t.Sequence[str] = (), **more: t.Any) -> Inventory:
    """Two clusters for dev, and one environment that can live on both."""
    data = inventory()
    data["clusters"]["north-dev"] = cluster("dev", cluster_capacity={"cpu": "40", "memory": "400Gi"})
    environment: dict[str, t.Any] = {"name": "dev", **more}
    if policy:
        environment["deletion_policy"] = policy
    if on:
        environment["placement"] = {"clusters": list(on)}
    data["tenants"]["tenant__physics"]["projects"][0]["environments"] = [environment]
    return data


def without(policy: str = "", **clusters: t.Any) -> Inventory:
    data = organisation(policy)
    data["tenants"]["tenant__physics"]["projects"] = []
    data["clusters"].update(clusters)
    return data


def run(root: Path, data: Inventory, *clusters: str) -> deliver.Outcome:
    outcome = deliver.deliver(root, compiler(data), clusters=clusters, brake=Brake("100"))
    assert [p.render() for p in outcome.fleet.problems.errors] == []
    return outcome


def placements(root: Path) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load((root / paths.PLACEMENTS).read_text()))


def protected(root: Path, name: str = "east-dev") -> bool:
    """Whether Flux keeps the namespace when its file goes."""
    (space,) = (d for d in yaml.safe_load_all((root / FILE.format(name)).read_text()) if d["kind"] == "Namespace")
    return PRUNE_DISABLED.items() <= space["metadata"]["annotations"].items()


@pytest.mark.parametrize(
    ("policy", "stays", "told"),
    [
        ("", True, "physics-lab-dev removed; namespace and data stay on east-dev"),
        ("retain", True, "physics-lab-dev removed; namespace and data stay on east-dev"),
        ("archive", True, "physics-lab-dev removed; namespace and data stay on east-dev"),
        ("delete", False, "physics-lab-dev deleted from east-dev"),
    ],
)
def test_a_removed_environment(tmp_path: Path, policy: str, stays: bool, told: str) -> None:
    run(tmp_path, organisation(policy))
    before = placements(tmp_path)[DEV]
    assert protected(tmp_path) is stays, "the memory says what Flux does"
    outcome = run(tmp_path, without(policy))
    assert outcome.changes
    assert outcome.changes.tenant_lines("physics") == [told]
    assert not (tmp_path / FILE.format("east-dev")).exists()
    after = placements(tmp_path).get(DEV)
    assert bool(after) is stays
    ledger = (tmp_path / paths.LEDGER).read_text()
    row = "environment,physics/lab/dev,east-dev,'=1+1,retained,requests.cpu,,2,\n"
    assert (row in ledger) is stays
    if after:
        kept = {key: after[key] for key in before}
        assert kept == before
        assert (after["retained"], after["since"], after["cost_center"]) == (True, "2026-11-21", "=1+1")
        assert after["quota"]["requests.cpu"] == "2"
    assert not run(tmp_path, without(policy)).changed, "the next run remembers the same"


BETTER = {"cluster_capacity": {"cpu": "9000", "memory": "90Ti"}}


def test_it_comes_back_to_its_data(tmp_path: Path) -> None:
    run(tmp_path, organisation())
    run(tmp_path, without())
    data = organisation()
    data["clusters"]["a-new-one"] = cluster("dev", **BETTER)
    fresh = run(tmp_path / "fresh", data)
    assert [e.placement.clusters for e in fresh.fleet.environments if e.key == DEV and e.placement] == [("a-new-one",)]
    outcome = run(tmp_path, data)
    assert outcome.tree
    assert FILE.format("east-dev") in outcome.tree.created
    entry = placements(tmp_path)[DEV]
    assert entry["clusters"] == ["east-dev"]
    assert entry.keys() == {"clusters", "decided_at", "reason"}


def test_a_human_can_let_go_of_it(tmp_path: Path) -> None:
    run(tmp_path, organisation())
    run(tmp_path, without())
    file = tmp_path / paths.PLACEMENTS
    header, text = file.read_text().split("---\n")
    data = yaml.safe_load(text)
    del data[DEV]
    file.write_text(f"{header}---\n{yaml.safe_dump(data)}")
    run(tmp_path, without())
    assert DEV not in placements(tmp_path)
    assert "retained" not in (tmp_path / paths.LEDGER).read_text()
    back = organisation()
    back["clusters"]["a-new-one"] = cluster("dev", **BETTER)
    run(tmp_path, back)
    assert placements(tmp_path)[DEV]["clusters"] == ["a-new-one"]


def test_a_policy_counts_when_it_was_delivered(tmp_path: Path) -> None:
    """Changed and removed in one step, Flux has never heard of the new policy."""
    run(tmp_path, organisation("retain"))
    run(tmp_path, without("delete"))
    assert placements(tmp_path)[DEV]["retained"] is True


def test_where_it_moved_away_from_is_told(tmp_path: Path) -> None:
    for policy, told in (("", "; namespace and data stay on east-dev"), ("delete", "")):
        root = tmp_path / (policy or "retain")
        run(root, organisation(policy, on=["east-dev"]))
        outcome = run(root, organisation(policy, on=["north-dev"]))
        assert outcome.changes
        assert outcome.changes.tenant_lines("physics") == [f"physics-lab-dev moved from east-dev to north-dev{told}"]


@pytest.mark.parametrize("limit", [["east-dev"], ["north-dev"], ["north-dev", "west-prod"]])
@pytest.mark.parametrize("live", [False, True])
def test_a_limited_run_never_splits_a_move(tmp_path: Path, limit: list[str], live: bool) -> None:
    start, moved = organisation(on=["east-dev"]), organisation(on=["north-dev"])
    if live:
        for data in (start, moved):
            data["clusters"]["east-dev"].update(cluster_delivery="live", cluster_kubeconfig="/x")
    run(tmp_path, start)
    before = disk(tmp_path)
    plan = deliver.deliver(tmp_path, compiler(moved), clusters=limit, check=True)
    with pytest.raises(TreeError) as caught:
        deliver.deliver(tmp_path, compiler(moved), clusters=limit)
    assert plan.refusals == [str(caught.value)]
    one, other = (
        ("east-dev" + " (not written)" * ("east-dev" not in limit)),
        ("north-dev" + " (not written)" * ("north-dev" not in limit)),
    )
    assert str(caught.value) == (
        f"{tmp_path}: nothing was written. This run writes only {', '.join(limit)}, so that what moves would stand on "
        f"two clusters, or on none: {DEV} moves from {one} to {other}. Run for all these clusters together, or "
        "without a limit."
    )
    assert disk(tmp_path) == before
    outcome = run(tmp_path, moved, "east-dev", "north-dev")
    assert outcome.waiting == []
    assert (tmp_path / FILE.format("north-dev")).exists()
    assert not (tmp_path / FILE.format("east-dev")).exists()


def test_a_move_far_from_the_limit_waits(tmp_path: Path) -> None:
    run(tmp_path, organisation(on=["east-dev"]))
    outcome = run(tmp_path, organisation(on=["north-dev"]), "west-prod")
    assert outcome.waiting == [f"Not written yet, until a run includes their clusters: {DEV} (east-dev, north-dev)."]
    assert (tmp_path / FILE.format("east-dev")).exists()
    run(tmp_path, organisation(on=["north-dev"]))
    assert (tmp_path / FILE.format("north-dev")).exists()
    assert not (tmp_path / FILE.format("east-dev")).exists()


def test_what_is_new_or_gone_outside_the_limit_is_told(tmp_path: Path) -> None:
    outcome = run(tmp_path, organisation(on=["east-dev"]), "west-prod")
    told = f"bio-lab/lab/dev (east-dev); {DEV} (east-dev)."
    assert outcome.waiting == [f"Not written yet, until a run includes their clusters: {told}"]
    # it is not there yet, so it can still go elsewhere
    outcome = run(tmp_path, organisation(on=["north-dev"]), "north-dev")
    assert (tmp_path / FILE.format("north-dev")).exists()
    run(tmp_path, organisation(on=["north-dev"]))
    outcome = run(tmp_path, without(), "east-dev")
    removed = "physics-lab-dev, which was removed (north-dev)."
    assert outcome.waiting == [f"Not written yet, until a run includes their clusters: {removed}"]
    assert run(tmp_path, without()).waiting == []
    assert not (tmp_path / FILE.format("north-dev")).exists()


def test_a_limited_run_does_not_forget_what_it_cannot_delete(tmp_path: Path) -> None:
    run(tmp_path, organisation("delete", on=["east-dev"]))
    run(tmp_path, without("delete"), "north-dev")
    assert placements(tmp_path)[DEV]["retained"] is True
    assert (tmp_path / FILE.format("east-dev")).exists()
    outcome = run(tmp_path, without("delete"))
    assert DEV not in placements(tmp_path)
    assert outcome.changes
    assert outcome.changes.tenant_lines("physics") == ["physics-lab-dev deleted from east-dev"]


def test_a_limited_run_does_not_believe_a_policy_that_it_has_not_delivered(tmp_path: Path) -> None:
    run(tmp_path, organisation("retain", on=["east-dev"]))
    run(tmp_path, organisation("delete", on=["east-dev"]), "north-dev")
    assert protected(tmp_path)
    run(tmp_path, without("delete"))
    assert placements(tmp_path)[DEV]["retained"] is True
    run(tmp_path, organisation("delete", on=["east-dev"]))
    assert placements(tmp_path)[DEV]["deletion_policy"] == "delete"
    run(tmp_path, without("delete"))
    assert DEV not in placements(tmp_path)


def test_a_limited_first_run_in_check_mode(tmp_path: Path) -> None:
    outcome = deliver.deliver(tmp_path / "new", compiler(organisation()), clusters=["west-prod"], check=True)
    assert len(outcome.waiting) == 1
    assert not (tmp_path / "new").exists()


def test_others_stay_apart(tmp_path: Path) -> None:
    """Tenants whose names run into each other never get one another's namespace."""
    run(tmp_path, organisation())
    data = without()
    data["tenants"]["tenant__physics_lab"] = tenant("physics-lab")
    data["tenants"]["tenant__physics_lab"]["projects"] = [{"id": "x", "environments": [{"name": "dev"}]}]
    run(tmp_path, data)
    data["tenants"]["tenant__physics"]["projects"] = [{"id": "lab-x", "environments": [{"name": "dev"}]}]
    del data["tenants"]["tenant__physics_lab"]
    outcome = deliver.deliver(tmp_path, compiler(data), brake=Brake("100"))
    (error,) = outcome.fleet.problems.errors
    assert "the namespace physics-lab-x-dev is still that of physics-lab/x/dev" in error.render()

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an inventory to a committed tree: the layout, and one run over it."""

from __future__ import annotations

import copy
import csv
import datetime
import io
import shutil
import subprocess
import typing as t
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import deliver, journal, layout, paths, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.brake import Brake
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.commit import Options
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.disk import Disk
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .support import disk, killed_at, stamps, steps

TODAY = datetime.date(2026, 11, 21)
Inventory = dict[str, t.Any]


def cluster(stage: str, **more: t.Any) -> dict[str, t.Any]:
    return {
        "cluster_environment": stage,
        "cluster_security_domain": "internal_only",
        "cluster_sla_tier": "tier_1_critical",
        "cluster_capacity": {"cpu": "100", "memory": "400Gi"},
        **more,
    }


def tenant(name: str, *environments: str, **more: t.Any) -> dict[str, t.Any]:
    return {
        "id": name,
        "contacts": {"owner": f"head@{name}.example.org"},
        "owners": [{"kind": "Group", "name": f"{name}-leads"}],
        "billing": {"cost_center": "=1+1"},
        "projects": [{"id": "lab", "environments": [{"name": e, "stage": "dev"} for e in environments]}],
        **more,
    }


def inventory() -> Inventory:
    return {
        "settings": {
            "fleet_defaults": {"size": "small", "classification": {"security_domain": "internal_only"}},
            "fleet_sizes": {"small": {"resource_quota": {"hard": {"requests.cpu": "2", "requests.memory": "8Gi"}}}},
            "fleet_services": {
                "metallb": {"repository": "https://metallb.github.io/metallb", "version": "0.15.3"},
                "cert-manager": {"repository": "oci://quay.io/jetstack/charts/cert-manager", "version": "1.18.6"},
            },
        },
        "tenants": {"tenant__physics": tenant("physics", "dev", "test"), "tenant__bio_lab": tenant("bio-lab", "dev")},
        "clusters": {
            "east-dev": cluster(
                "dev",
                cluster_services={"metallb": {}, "cert-manager": {}},
                cluster_network={"load_balancer_pools": [{"name": "shared", "addresses": ["10.1.2.0/28"]}]},
                cluster_apps=["shop"],
            ),
            "west-prod": cluster("prod", cluster_release_line="1.35"),
            "by-hand": cluster("staging", cluster_delivery="live", cluster_kubeconfig="/x"),
        },
    }


def compiler(data: Inventory) -> t.Callable[[t.Mapping[str, t.Mapping[str, t.Any]]], Fleet]:
    return lambda recorded: compile_fleet(
        Source(data["settings"], data["tenants"], data["clusters"]), today=TODAY, recorded=recorded
    )


def run(root: Path, data: Inventory, **options: t.Any) -> deliver.Outcome:
    """A check run and then the real one, which must do exactly what was foretold."""
    before = untouched(root)
    plan = deliver.deliver(root, compiler(data), check=True, diff=True, **options)
    assert untouched(root) == before
    outcome = deliver.deliver(root, compiler(data), diff=True, **options)
    assert [p.render() for p in outcome.fleet.problems.errors] == []
    assert plan.refusals == []
    assert promised(outcome) == promised(plan)
    return outcome


def untouched(root: Path) -> object:
    """What a check run must leave alone; Git notes when it last needed an object."""
    return (
        {path: stamp for path, stamp in stamps(root).items() if ".git/objects/" not in path} if root.exists() else None
    )


def promised(outcome: deliver.Outcome) -> tuple[object, ...]:
    """What a check run must foretell."""
    return (
        outcome.changed,
        outcome.committed,
        outcome.pushed,
        outcome.message,
        outcome.left_out,
        outcome.tree,
        outcome.changes,
    )


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


ME = ("-c", "user.name=me", "-c", "user.email=me@example.org")
GIT = Options(init=True, name="Bot", email="bot@example.org")


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


def test_a_repository_in_trouble_is_told_before_anything_is_written(tmp_path: Path) -> None:
    run(tmp_path, inventory(), git=GIT)
    git(tmp_path, "checkout", "-q", "--detach")
    before = stamps(tmp_path)
    data = inventory()
    del data["tenants"]["tenant__physics"]
    for check in (True, False):
        with pytest.raises(TreeError, match="detached HEAD"):
            deliver.deliver(tmp_path, compiler(data), git=GIT, check=check)
    assert {k: v for k, v in stamps(tmp_path).items() if ".git" not in k} == {
        k: v for k, v in before.items() if ".git" not in k
    }


def test_a_push_that_failed_is_made_up_for(tmp_path: Path) -> None:
    root, remote = tmp_path / "tree", tmp_path / "remote.git"
    there = Options(init=True, name="Bot", email="bot@example.org", remote=str(remote))
    with pytest.raises(TreeError, match="it failed; the commits stay here"):
        deliver.deliver(root, compiler(inventory()), git=there)
    git(tmp_path, "init", "-q", "--bare", str(remote))
    outcome = run(root, inventory(), git=there)
    assert (outcome.commit, outcome.pushed, outcome.changed) == ("", True, True)
    assert git(remote, "rev-parse", "main") == git(root, "rev-parse", "HEAD")
    assert not run(root, inventory(), git=there).changed
    data = inventory()
    del data["tenants"]["tenant__bio_lab"]
    outcome = run(root, data, git=there)
    assert (outcome.committed, outcome.pushed) == (True, True)


def test_a_check_run_tells_that_the_push_would_fail(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    run(root, inventory(), git=GIT)
    for there, said in ((tmp_path / "none.git", "it failed"), (tmp_path / "ahead.git", "the remote has commits")):
        if there.name == "ahead.git":
            git(tmp_path, "init", "-q", "--bare", "-b", "main", str(there))
            git(tmp_path, "clone", "-q", str(there), "clone")
            git(tmp_path / "clone", *ME, "commit", "-q", "--allow-empty", "-m", "x")
            git(tmp_path / "clone", "push", "-q", "origin", "HEAD:main")
        options = replace(GIT, remote=str(there))
        plan = deliver.deliver(root, compiler(inventory()), git=options, check=True)
        assert (len(plan.refusals), said in plan.refusals[0], plan.pushed) == (1, True, False)
        with pytest.raises(TreeError, match=said):
            deliver.deliver(root, compiler(inventory()), git=options)


def edit_by_hand(root: Path) -> None:
    (root / "ledger.csv").write_text("edited")


def edit_and_commit(root: Path) -> None:
    edit_by_hand(root)
    git(root, *ME, "commit", "-qam", "edit")


def write_without_commit(root: Path) -> None:
    data = inventory()
    del data["tenants"]["tenant__bio_lab"]
    deliver.deliver(root, compiler(data))


@pytest.mark.parametrize(
    ("spoil", "repaired", "committed"),
    [
        (edit_by_hand, ["ledger.csv"], False),
        (edit_and_commit, ["ledger.csv"], True),
        (write_without_commit, [], False),
        (lambda root: shutil.rmtree(root / "clusters"), None, False),
        (lambda root: (root / paths.MANIFEST).unlink(), [], False),
        (lambda root: git(root, "reset", "-q", "--hard", "HEAD~"), None, True),
        (lambda root: shutil.rmtree(root / ".git"), [], True),
    ],
)
def test_a_check_run_foretells_the_commit(
    tmp_path: Path, spoil: t.Callable[[Path], object], repaired: list[str] | None, committed: bool
) -> None:
    data = inventory()
    del data["tenants"]["tenant__bio_lab"]
    run(tmp_path, data, git=GIT)
    run(tmp_path, inventory(), git=GIT)
    spoil(tmp_path)
    outcome = run(tmp_path, inventory(), git=GIT)
    assert outcome.tree
    assert repaired is None or outcome.tree.repaired == repaired
    assert (outcome.changed, outcome.committed) == (True, committed)
    assert git(tmp_path, "status", "--porcelain") == ""
    assert not run(tmp_path, inventory(), git=GIT).changed


@pytest.mark.parametrize("place", ["new", "new/deeper"])
def test_a_tree_that_is_not_there_yet(tmp_path: Path, place: str) -> None:
    """What is wrong with its repository is told before its folder is made; check mode tells the same."""
    root = tmp_path / place
    for check in (True, False):
        with pytest.raises(TreeError, match=r"it is not in a Git repository\."):
            deliver.deliver(root, compiler(inventory()), git=Options(), check=check)
    git(tmp_path, "init", "-q", "-b", "main")
    for check in (True, False):
        with pytest.raises(TreeError, match="the branch main is checked out, and not other"):
            deliver.deliver(root, compiler(inventory()), git=Options(branch="other"), check=check)
    (tmp_path / ".gitignore").write_text("/new/\n")
    for check in (True, False):
        with pytest.raises(TreeError, match=r"ignores this folder"):
            deliver.deliver(root, compiler(inventory()), git=Options(), check=check)
    assert not (tmp_path / "new").exists()
    (tmp_path / ".gitignore").unlink()
    assert run(root, inventory(), git=Options()).committed
    shutil.rmtree(tmp_path / "new")
    outcome = run(root, inventory(), git=Options())
    assert (outcome.changed, outcome.committed) == (True, False), "the commit has it all already"


def test_clusters_that_are_left_out_are_named(tmp_path: Path) -> None:
    run(tmp_path, inventory())
    assert run(tmp_path, inventory(), clusters=["east-dev"]).left_out == ["west-prod"]
    data = inventory()
    del data["clusters"]["west-prod"]
    assert run(tmp_path, data, clusters=["east-dev"]).left_out == ["west-prod"], "its folder is still there"


# --- the brake --------------------------------------------------------------------------------------------------------


def many() -> Inventory:
    """Ten tenants with three environments each, on four clusters."""
    data = inventory()
    data["tenants"] = {
        f"tenant__t{n}": tenant(f"t{n}", *(f"e{m}" for m in range(3)), billing={"cost_center": "1"}) for n in range(10)
    }
    for each in data["tenants"].values():
        for environment in each["projects"][0]["environments"]:
            environment["placement"] = {"clusters": ["east-dev"]}
    data["clusters"].update({"more-0": cluster("dev"), "more-1": cluster("dev")})
    return data


def without(*names: str, base: Inventory | None = None) -> Inventory:
    data = base or many()
    for name in names:
        data["tenants"].pop(f"tenant__{name}", None)
        data["clusters"].pop(name, None)
    return data


ALL = [f"t{n}" for n in range(10)]


@pytest.mark.parametrize(
    ("gone", "limit", "confirmed", "told"),
    [
        (ALL[:3], "30%", [], []),
        (ALL[:4], "30%", [], ["4 of 10 tenants (at most 3 in one run): t0, t1, t2, t3"]),
        (ALL[:4], "30%", ["t0"], []),
        (ALL[:4], "30%", ["t0-lab-e0", "t0-lab-e1", "t0-lab-e2"], []),
        (ALL[:4], "30%", ["t0-lab-e0", "t0-lab-e1", "t9"], ["4 of 10 tenants", "10 of 30 environments (at most 9"]),
        (ALL[:4], "12", [], []),
        (ALL[:4], "40 %", [], []),
        (ALL[:1], "0", [], ["1 of 10 tenants (at most 0 in one run): t0", "3 of 30 environments"]),
        (ALL[:1], "0%", [], []),
        (ALL, "100%", [], ["10 of 10 tenants (the last ones only when confirmed)", "confirm_deletion: [t0, t1,"]),
        (ALL, "100%", ALL[:9], ["1 of 10 tenants (the last ones only when confirmed): t9", "confirm_deletion: [t9]"]),
        (ALL, "0", ALL, []),
        (["more-0"], "30%", [], []),
    ],
)
def test_the_brake(tmp_path: Path, gone: list[str], limit: str, confirmed: list[str], told: list[str]) -> None:
    data = many()
    run(tmp_path, data, git=GIT)
    brake = Brake(limit, confirmed)
    if not told:
        assert run(tmp_path, without(*gone), git=GIT, brake=brake).changed
        return
    before = untouched(tmp_path)
    plan = deliver.deliver(tmp_path, compiler(without(*gone)), git=GIT, brake=brake, check=True)
    with pytest.raises(TreeError) as caught:
        deliver.deliver(tmp_path, compiler(without(*gone)), git=GIT, brake=brake)
    assert plan.refusals == [str(caught.value)]
    assert untouched(tmp_path) == before
    for part in (*told, "nothing was written", "confirm_deletion: [", "First look whether the inventory is whole"):
        assert part in str(caught.value)
    assert ("raise prune_limit" in str(caught.value)) == ("the last ones" not in str(caught.value))


def test_the_brake_knows_clusters(tmp_path: Path) -> None:
    data = many()
    run(tmp_path, data)
    with pytest.raises(TreeError, match=r"2 of 4 clusters \(at most 1 in one run\): more-0, more-1\n"):
        deliver.deliver(tmp_path, compiler(without("more-0", "more-1")))
    by_hand = many()
    for name in ("more-0", "more-1"):
        by_hand["clusters"][name].update(cluster_delivery="live", cluster_kubeconfig="/x")
    with pytest.raises(TreeError, match="2 of 4 clusters"):
        deliver.deliver(tmp_path, compiler(by_hand))
    run(tmp_path, without("more-0", "more-1"), brake=Brake(confirmed=["more-0"]))


def test_the_brake_counts_where_the_run_is_to_work(tmp_path: Path) -> None:
    """A limited run is measured by the clusters that it may touch."""
    data = many()
    for n in range(10):
        for environment in data["tenants"][f"tenant__t{n}"]["projects"][0]["environments"]:
            environment["placement"] = {"clusters": ["more-0" if n < 2 else "more-1"]}
    run(tmp_path, data)
    few = without("t0", "t1", base=copy.deepcopy(data))
    with pytest.raises(TreeError, match=r"2 of 2 tenants \(the last ones only when confirmed\): t0, t1\n"):
        deliver.deliver(tmp_path, compiler(few), clusters=["more-0"])
    assert not [p for p in disk(tmp_path) if p.startswith("clusters/more-0/tenants/t2")]
    run(tmp_path, few)


@pytest.mark.parametrize("limit", ["", "x", "-1", "30%%", "1e3", "٣", "1.5"])
def test_a_limit_that_is_none(limit: str) -> None:
    with pytest.raises(TreeError, match=r"prune_limit: .* is no limit\. Write a number such as 25, or a share"):
        Brake(limit)


def test_an_interrupted_run_is_completed_even_when_git_was_killed_as_well(tmp_path: Path) -> None:
    """The tree comes first; the lock that a killed Git left is told then."""
    run(tmp_path, inventory(), git=GIT)
    data = inventory()
    del data["tenants"]["tenant__bio_lab"]
    plan = deliver.deliver(tmp_path, compiler(data), check=True)
    assert plan.tree
    pending = plan.tree.pending
    writes = {path: text for path, text in pending.items() if text is not None}
    journal.stage(Disk(tmp_path), writes, sorted(pending.keys() - writes.keys()))
    (tmp_path / ".git/index.lock").touch()
    with pytest.raises(TreeError, match=r"remove the lock: rm .*index\.lock\. Then run again"):
        deliver.deliver(tmp_path, compiler(data), git=GIT)
    assert not (tmp_path / paths.STAGING).exists()
    (tmp_path / ".git/index.lock").unlink()
    assert deliver.deliver(tmp_path, compiler(data), git=GIT).committed


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


def test_commits_hold_whole_trees_only(tmp_path: Path) -> None:
    """Killed at any step, the last commit is the old tree; the next run commits what the killed one wrote."""
    data = inventory()
    del data["tenants"]["tenant__physics"]
    data["tenants"]["tenant__bio_lab"]["projects"][0]["environments"].append({"name": "demo", "stage": "dev"})
    new = tmp_path / "new"
    run(new, inventory(), git=GIT)
    old_tree = git(new, "rev-parse", "HEAD^{tree}")
    count = steps(lambda: deliver.deliver(new, compiler(data), git=GIT))
    new_tree = git(new, "rev-parse", "HEAD^{tree}")
    assert old_tree != new_tree
    assert count > 20
    for number in range(0, count, 4):
        root = tmp_path / str(number)
        deliver.deliver(root, compiler(inventory()), git=GIT)
        assert killed_at(number, partial(deliver.deliver, root, compiler(data), git=GIT))
        assert git(root, "rev-parse", "HEAD^{tree}") == old_tree
        outcome = deliver.deliver(root, compiler(data), git=GIT)
        assert git(root, "rev-parse", "HEAD^{tree}") == new_tree
        assert outcome.message.splitlines()[0] == "2 tenants: bio-lab, physics"
        assert git(root, "status", "--porcelain") == ""


def test_the_layout_is_a_mapping_that_sync_takes(tmp_path: Path) -> None:
    fleet = compiler(inventory())({})
    files = layout.layout(fleet)
    assert all(isinstance(value, (str, list)) for value in files.values())
    assert writer.sync(tmp_path / "1", files).created == writer.sync(tmp_path / "2", dict(files)).created
    assert disk(tmp_path / "1") == disk(tmp_path / "2")

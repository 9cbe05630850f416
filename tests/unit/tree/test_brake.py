# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The brake: an inventory from which too much is missing removes nothing."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import deliver
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.brake import Brake
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .delivering import GIT, Inventory, cluster, compiler, inventory, run, tenant, untouched
from .support import disk


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

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed for whom, in words."""

from __future__ import annotations

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import changes, paths


def env(tenant: str, name: str, *clusters: str) -> list[str]:
    return [f"clusters/{c}/tenants/{tenant}/{tenant}-{name}.yaml" for c in clusters]


def folder(tenant: str, cluster: str) -> str:
    return f"clusters/{cluster}/tenants/{tenant}/kustomization.yaml"


ALWAYS = [paths.LEDGER, paths.PLACEMENTS, paths.MANIFEST]


@pytest.mark.parametrize(
    ("created", "updated", "removed", "subject", "body"),
    [
        (
            env("physics", "lab-sim-dev", "east-dev"),
            [*ALWAYS, folder("physics", "east-dev")],
            [],
            "physics: lab-sim-dev created on east-dev",
            ["tenant physics:", "- physics-lab-sim-dev created on east-dev", "account: see ledger.csv"],
        ),
        (
            [*env("physics", "a-dev", "east-dev"), folder("physics", "east-dev")],
            [*ALWAYS, "clusters/east-dev/config/kustomizations.yaml"],
            [],
            "physics: a-dev created on east-dev",
            [
                "tenant physics:",
                "- physics-a-dev created on east-dev",
                "cluster east-dev: delivery",
                "account: see ledger.csv",
            ],
        ),
        (
            env("physics", "a-dev", "west"),
            [],
            env("physics", "a-dev", "east"),
            "physics: a-dev moved from east to west",
            ["tenant physics:", "- physics-a-dev moved from east to west"],
        ),
        (
            env("p", "a-dev", "c"),
            env("p", "a-dev", "a", "b"),
            [],
            "p: a-dev created on c, changed on a, b",
            ["tenant p:", "- p-a-dev created on c, changed on a, b"],
        ),
        (
            [],
            [
                *env("physics", "laboratory-simulation-production", "east", "west"),
                *env("physics", "portal-prod", "east"),
            ],
            [],
            "physics: laboratory-simulation-production, portal-prod changed",
            [
                "tenant physics:",
                "- physics-laboratory-simulation-production changed on east, west",
                "- physics-portal-prod changed on east",
            ],
        ),
        (
            env("physics", "laboratory-simulation-development", "east"),
            env("physics", "laboratory-simulation-production", "east"),
            env("physics", "portal-prod", "east"),
            "physics: 1 environment created, 1 environment changed, 1 environment deleted",
            None,
        ),
        (env("a", "x-dev", "e"), env("b", "x-dev", "e"), env("c", "x-dev", "e"), "3 tenants: a, b, c", None),
        (
            [path for n in range(30) for path in env(f"tenant-{n:02}", "x-dev", "e", f"c{n}")],
            [],
            [],
            "30 tenants on 31 clusters: tenant-00, …",
            None,
        ),
        (
            [],
            ["clusters/east/config/cluster-facts.yaml", "clusters/east/platform/vault/release.yaml"],
            [],
            "east: facts, platform vault",
            ["cluster east: facts, platform vault"],
        ),
        (
            ["clusters/new/kustomization.yaml", "clusters/new/config/cluster-facts.yaml"],
            ALWAYS,
            [],
            "new: created",
            ["cluster new: created", "account: see ledger.csv"],
        ),
        ([], ["clusters/east/kustomization.yaml"], [], "east: Flux", ["cluster east: Flux"]),
        (
            [],
            ["clusters/east/network/load-balancer-pools.yaml", "clusters/east/apps/shop.yaml"],
            [],
            "east: apps shop, load-balancer pools",
            ["cluster east: apps shop, load-balancer pools"],
        ),
        ([], [f"clusters/c{n}/config/cluster-facts.yaml" for n in range(40)], [], "40 clusters", None),
        (
            [],
            ["policies/1.30/admission-policies.yaml"],
            [],
            "roles and policies of 1.30",
            ["roles and policies of 1.30"],
        ),
        ([], [paths.LEDGER, paths.MANIFEST], [], "account", ["account: see ledger.csv"]),
        ([], [paths.MANIFEST], [], "list of files", []),
        (
            [
                *ALWAYS,
                *env("a", "x-dev", "e", "f"),
                *env("b", "x-dev", "f"),
                "clusters/e/kustomization.yaml",
                "clusters/f/kustomization.yaml",
            ],
            [],
            [],
            "first rendering: 2 clusters, 2 environments",
            None,
        ),
    ],
)
def test_messages(
    created: list[str], updated: list[str], removed: list[str], subject: str, body: list[str] | None
) -> None:
    text = changes.message(changes.find(created, updated, removed))
    first, *rest = text.splitlines()
    if len(subject) <= changes.SUBJECT:
        assert first == subject
    else:
        assert first == subject[: changes.SUBJECT - 1] + "…"
    if body is not None:
        assert rest == ([""] if body else []) + body


def test_a_message_has_a_limit() -> None:
    many = [path for n in range(500) for path in env(f"t-{n:03}", "x-dev", "e")]
    text = changes.message(changes.find(many, [], []), lines=20)
    lines = text.splitlines()
    assert len(lines) == 22
    assert lines[-1] == "… and 981 lines more"
    assert all(
        len(changes.message(changes.find(many[:n], [], []), lines=5).splitlines()[0]) <= 72 for n in range(1, 500, 7)
    )


def test_nothing_changed_for_anybody() -> None:
    assert not changes.find([], [paths.README, folder("physics", "east")], [])


@pytest.mark.parametrize(
    ("created", "updated", "gone", "stays", "subject", "told"),
    [
        ([], [], ["east"], [], "p: a-dev deleted from east", "deleted from east"),
        (
            [],
            [],
            [],
            ["east", "west"],
            "p: a-dev removed; namespace and data stay on east, west",
            "removed; namespace and data stay on east, west",
        ),
        (
            [],
            [],
            ["east"],
            ["west"],
            "p: a-dev removed and deleted",
            "deleted from east, removed from west; namespace and data stay on west",
        ),
        (["west"], [], ["east"], [], "p: a-dev moved from east to west", "moved from east to west"),
        (
            ["west"],
            [],
            [],
            ["east"],
            "p: a-dev moved from east to west; namespace and data stay on east",
            "moved from east to west; namespace and data stay on east",
        ),
        (
            [],
            ["east"],
            [],
            ["west"],
            "p: a-dev changed and removed",
            "changed on east, removed from west; namespace and data stay on west",
        ),
    ],
)
def test_what_is_removed_is_deleted_or_stays(
    created: list[str], updated: list[str], gone: list[str], stays: list[str], subject: str, told: str
) -> None:
    kept = env("p", "a-dev", *stays)
    text = changes.of_commit(
        env("p", "a-dev", *created), env("p", "a-dev", *updated), [*env("p", "a-dev", *gone), *kept], kept
    )
    first, _empty, _tenant, line = text.splitlines()
    assert first == subject
    assert line == f"- p-a-dev {told}"


def test_the_subject_counts_what_stays_and_what_goes_apart() -> None:
    names = ["laboratory-simulation-production", "laboratory-simulation-development"]
    removed = [path for name in names for path in env("physics", name, "east")]
    assert changes.subject(changes.find([], [], removed, removed[:1])) == (
        "physics: 1 environment removed, 1 environment deleted"
    )


def test_as_data() -> None:
    found = changes.find(env("b", "x-dev", "e", "d"), env("a", "x-dev", "e"), [])
    assert found.environments == {"a": {"a-x-dev": {"changed": ["e"]}}, "b": {"b-x-dev": {"created": ["d", "e"]}}}
    assert list(found.environments) == ["a", "b"]

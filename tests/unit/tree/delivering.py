# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small organisation, and its delivery into a folder."""

from __future__ import annotations

import datetime
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import deliver
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.commit import Options

from .support import stamps

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

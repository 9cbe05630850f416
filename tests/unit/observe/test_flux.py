# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Flux's objects mean: which of them follow the fleet tree's commits."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.flux import (
    KUSTOMIZATION,
    REPOSITORY,
    assess,
)

from ..report import orgs

Object = dict[str, Any]

NOW = datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc)
HEAD, OTHER = f"main@sha1:{'a' * 40}", f"latest@sha256:{'b' * 64}"
TREE = {"kind": "GitRepository", "name": "flux-system"}


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return orgs.fleet([orgs.tenant("physics")])


def item(name: str, revision: str, source: Object | None = None) -> Object:
    """A repository with an artifact, or a Kustomization that is applied."""
    status: Object = {"conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded"}]}
    status |= {"lastAppliedRevision": revision} if source else {"artifact": {"revision": revision}}
    return {
        "metadata": {"name": name, "namespace": "flux-system"},
        "spec": {"sourceRef": source} if source else {},
        "status": status,
    }


@pytest.mark.parametrize(
    ("source", "state"),
    [
        (TREE, "behind"),
        ({**TREE, "namespace": "flux-system"}, "behind"),
        ({"kind": "OCIRepository", "name": "flux-system"}, "ready"),
        ({"kind": "GitRepository", "name": "operators"}, "ready"),
        ({**TREE, "namespace": "operators"}, "ready"),
    ],
)
def test_what_does_not_come_from_the_tree_is_not_behind_it(fleet: Fleet, source: Object, state: str) -> None:
    """It has its own commits, and would be behind for ever."""
    declared = [item(name, HEAD, TREE) for name in ("flux-system", "policies", "tenant-physics")]
    own = item("operators", OTHER, source)
    found = assess({REPOSITORY: [item("flux-system", HEAD)], KUSTOMIZATION: [*declared, own]}, fleet, "east", NOW)
    states = {row["name"]: row["state"] for row in found["objects"] if row["kind"] == "Kustomization"}
    assert states == {**dict.fromkeys(("flux-system", "policies", "tenant-physics"), "ready"), "operators": state}
    assert (found["healthy"], found["pending"]) == (state == "ready", state == "behind")

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of Flux share: one rig, on which a small organisation lives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from .rig import FluxRig
from .site import Site, tenant

RICH = tenant(
    "rich",
    {
        "name": "prod",
        "labels": {"team": "lab"},
        "annotations": {"example.com/note": "{} and 'quotes'"},
        "resource_quota": {"hard": {"requests.storage": "50Gi", "count/jobs.batch": "1k"}},
        "role_bindings": [{"cluster_role": "view", "subjects": [{"kind": "User", "name": "auditor@example.edu"}]}],
        "network": {"ingress_controller": True, "egress": [{"cidr": "10.20.0.0/16", "ports": [5432]}]},
        "pod_disruption_budget": {"maxUnavailable": "25%"},
    },
    {"name": "ice", "state": "frozen"},
    {"name": "old", "state": "archived", "deletion_policy": "archive"},
    {"name": "short", "deletion_policy": "delete", "pod_security": {"enforce": "restricted"}},
)


@contextlib.contextmanager
def _site() -> Iterator[Site]:
    with FluxRig() as rig:
        made = Site(rig, tenant("physics"), tenant("biology"), RICH)
        made.commit()
        made.install()
        made.settle(seconds=120)
        yield made


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Flux, installed by the role on an empty cluster, that reads the organisation's repository."""
    with _site() as made:
        yield made


@pytest.fixture
def fresh_site() -> Iterator[Site]:
    """One of its own, for a test that must not see what others left, or that leaves nothing."""
    with _site() as made:
        yield made

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What flux_bootstrap refuses before it asks the cluster anything."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import RELEASE_LINES

from .live_cluster import CLUSTER, CLUSTERS, SETTINGS
from .playbooks import tasks

LINE = "1.35"
ALERTS = {"am": {"type": "alertmanager", "address": "http://am.monitoring/"}, "chat": {"type": "slack"}}
CONTROLLERS = ("source-controller", "kustomize-controller")
#: Options, and what is told of them.
REFUSED: tuple[tuple[dict[str, object], list[str]], ...] = (
    (
        {"flags": {"source-controller": "--concurrent=10", "sorce-controller": ["--concurrent=10"]}},
        [
            "flags: what source-controller gets is no list.",
            "there is no controller 'sorce-controller'. Did you mean 'source-controller'?",
            "Give each controller a list such as ['--concurrent=10'].",
        ],
    ),
    (
        {"flags": {"source-controller": None, "kustomize-controller": ["--a=b", "-c", 5, "--concurrent 10"]}},
        [
            "what source-controller gets is no list.",
            "kustomize-controller gets '-c', which is no flag. kustomize-controller gets 5, which is no flag.",
            "kustomize-controller gets '--concurrent 10', which is no flag.",
        ],
    ),
    (
        {"alerts": {"am": {"token": "x"}, "chat": {"address": "x", "token": 5}}},
        [
            "alerts: Flux uses no Secret for the alert am, as fleet_alerts.am has an address. Remove the address there "
            "and give it here as well.",
            "chat has a token that is no text. Put it in quotes.",
        ],
    ),
    ({"alerts": {"chat": {"address": None, "token": ""}}}, ["chat has to be a mapping that says something."]),
)


def manifest() -> str:
    """As much of the released one as is looked at."""
    labels = {"app.kubernetes.io/version": f"v{RELEASE_LINES[LINE].flux}"}
    pod = {"spec": {"containers": [{"name": "manager", "image": "ghcr.io/fluxcd/x:v1"}]}}
    return yaml.safe_dump_all(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "flux-system", "labels": labels},
            "spec": {"template": pod},
        }
        for name in CONTROLLERS
    )


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """One cluster."""
    files: dict[str, object] = {
        "hosts.yml": {"clusters": {"hosts": {CLUSTER: None}}},
        f"host_vars/{CLUSTER}.yml": {**CLUSTERS[CLUSTER], "cluster_release_line": LINE},
        "group_vars/all/fleet.yml": {**SETTINGS, "fleet_alerts": ALERTS},
    }
    for name, content in files.items():
        path = tmp_path / "inventory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path / "inventory"


def test_refusals(tmp_path: Path, inventory: Path) -> None:
    """Each says all that is wrong, and how to mend it."""
    path = tmp_path / "flux.yaml"
    path.write_text(manifest(), encoding="utf-8")
    # nobody answers there
    common = {"cluster": CLUSTER, "manifest": str(path), "host": "https://127.0.0.1:9", "api_key": "x"}
    wanted: list[dict[str, object]] = [
        {"k8s.self_provisioning.flux_bootstrap": {**common, **options}} for options, _told in REFUSED
    ]
    results, _run = tasks(tmp_path, wanted, inventory=inventory)
    for result, (_options, told) in zip(results, REFUSED, strict=True):
        for text in told:
            assert text in result["msg"]

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the released manifest of Flux is changed."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_install import Changes, installed

NAME = "kustomize-controller"
LOCKED = ["--no-cross-namespace-refs=true", "--no-remote-bases=true", "--default-service-account=default"]
QUICK = "--requeue-dependency=5s"


def controller(**changes: Any) -> dict[str, Any]:
    """The template of a controller's pods."""
    container = {"name": "manager", "image": "ghcr.io/fluxcd/x:v1", "args": ["--log-level=info", "--events-addr=x"]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": "flux-system"},
        "spec": {"template": {"metadata": {"annotations": {"a": "b"}}, "spec": {"containers": [container]}}},
    }
    found: dict[str, Any] = installed([deployment], Changes(**changes))[-1]["spec"]["template"]
    return found


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], ["--log-level=info", "--events-addr=x", QUICK, *LOCKED]),
        (["--log-level=debug"], ["--events-addr=x", QUICK, "--log-level=debug", *LOCKED]),
        (["--requeue-dependency=1s"], ["--log-level=info", "--events-addr=x", "--requeue-dependency=1s", *LOCKED]),
        (
            ["--feature-gates=A=true", "--feature-gates=B=true"],
            ["--log-level=info", "--events-addr=x", QUICK, "--feature-gates=A=true", "--feature-gates=B=true", *LOCKED],
        ),
        (["--no-remote-bases=false"], ["--log-level=info", "--events-addr=x", QUICK, *LOCKED]),
    ],
)
def test_flags(given: list[str], wanted: list[str]) -> None:
    """They replace those of the manifest; all that are given count, but nobody opens what is locked."""
    assert controller(flags={NAME: given})["spec"]["containers"][0]["args"] == wanted


def test_another_authority_starts_controllers_anew() -> None:
    """They read it once; the same one, or none, changes nothing."""
    none, one, again, other = (controller(authority=each) for each in ("", "A", "A", "B"))
    assert none["metadata"]["annotations"] == {"a": "b"}
    assert one == again
    assert one["metadata"] != other["metadata"]
    assert one["spec"] == other["spec"]

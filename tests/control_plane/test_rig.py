# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rig itself: it is a real control plane, tells what it was asked, survives faults, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cluster import ControlPlane
from .process import ControlPlaneError
from .versions import release

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
CREATED, FORBIDDEN, INVALID = 201, 403, 422


@pytest.fixture(scope="module")
def rig() -> Iterator[ControlPlane]:
    """Start a control plane of these tests' own, as they make it fail."""
    with ControlPlane() as running:
        yield running


def until(test: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def create(rig: ControlPlane, path: str, name: str, **content: Any) -> None:
    """Create an object that must be accepted."""
    status, answer = rig.admin.request("POST", path, {"metadata": {"name": name}, **content})
    assert status == CREATED, answer


def alive(pid: int) -> bool:
    """Whether a process is there and is not just waiting to be collected."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False


def test_version(rig: ControlPlane) -> None:
    """The API server tells exactly the version of the release line."""
    assert rig.version == f"v{release().kubernetes}"


def test_private_files(rig: ControlPlane) -> None:
    """Nobody else can read keys and kubeconfigs."""
    secrets = [rig.kubeconfig, rig.kubeconfig_for("someone"), *rig.folder.glob("pki/*.key")]
    assert {path.stat().st_mode & 0o077 for path in secrets} == {0}


def test_controllers_fill_quota_status(rig: ControlPlane) -> None:
    """A quota gets its status from the real controller and is enforced."""
    create(rig, "/api/v1/namespaces", "quota")
    create(rig, "/api/v1/namespaces/quota/resourcequotas", "all", spec={"hard": {"configmaps": "2"}})
    path = "/api/v1/namespaces/quota/resourcequotas/all"
    until(lambda: "configmaps" in rig.admin.request("GET", path)[1].get("status", {}).get("used", {}))
    answers = [
        rig.admin.request("POST", "/api/v1/namespaces/quota/configmaps", {"metadata": {"name": name}})[0]
        for name in ("one", "two", "three")
    ]
    assert FORBIDDEN in answers


def test_admission_policy_with_parameters(rig: ControlPlane) -> None:
    """A ValidatingAdmissionPolicy with a ConfigMap as its parameters refuses one name and allows another."""
    create(rig, "/api/v1/namespaces", "policy")
    create(rig, "/api/v1/namespaces/policy/configmaps", "names", data={"forbidden": "bad"})
    create(
        rig,
        f"{ADMISSION}/validatingadmissionpolicies",
        "names",
        spec={
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}
                ]
            },
            "validations": [{"expression": "object.metadata.name != params.data.forbidden"}],
        },
    )
    create(
        rig,
        f"{ADMISSION}/validatingadmissionpolicybindings",
        "names",
        spec={
            "policyName": "names",
            "paramRef": {"name": "names", "namespace": "policy", "parameterNotFoundAction": "Deny"},
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "policy"}}},
            "validationActions": ["Deny"],
        },
    )
    path = "/api/v1/namespaces/policy/secrets"
    until(lambda: rig.admin.request("POST", f"{path}?dryRun=All", {"metadata": {"name": "bad"}})[0] == INVALID)
    create(rig, path, "good")


def test_users_have_no_rights_of_their_own(rig: ControlPlane) -> None:
    """A user's certificate names the user and the groups, and RBAC decides."""
    path = rig.kubeconfig_for("dev@example.org", ["team-a"])
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert config["users"][0]["name"] == "dev@example.org"
    review = {"spec": {"user": "dev@example.org", "resourceAttributes": {"verb": "list", "resource": "pods"}}}
    answer = rig.admin.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)[1]
    assert answer["status"]["allowed"] is False


def test_audit_log_counts_requests(rig: ControlPlane) -> None:
    """Between two marks stand exactly the requests that were made."""
    mark = rig.audit.mark()
    for _unused in range(3):
        rig.admin.request("GET", "/api/v1/namespaces")
    rig.audit.mark()
    events = [event for event in rig.audit_events(mark, user="admin") if event["objectRef"]["resource"] == "namespaces"]
    assert [event["verb"] for event in events] == ["list"] * 3


@pytest.mark.parametrize("crash", [False, True])
def test_apiserver_restarts_at_the_same_address(rig: ControlPlane, *, crash: bool) -> None:
    """Objects, address and kubeconfigs outlive an API server."""
    create(rig, "/api/v1/namespaces", f"kept-{crash}".lower())
    rig.stop_apiserver(crash=crash)
    assert not rig.admin.healthy("/readyz")
    rig.start_apiserver()
    assert rig.admin.healthy(f"/api/v1/namespaces/kept-{crash}".lower())


def test_failed_start_shows_the_log_and_leaves_nothing(tmp_path: Path) -> None:
    """The error has the end of the log of the program that failed, and the others are ended."""
    broken = ControlPlane(folder=tmp_path / "data", apiserver_args=["--no-such-flag"])
    with pytest.raises(ControlPlaneError, match=r"kube-apiserver ended with code 1(.|\n)*unknown flag: --no-such-flag"):
        broken.start()
    with pytest.raises(ControlPlaneError):
        broken.component("etcd")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    """Neither a signal to stop nor the death of the owner leaves a process or the folder."""
    script = (
        "import signal, sys\n"
        f"from {ControlPlane.__module__} import ControlPlane\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "with ControlPlane() as rig:\n"
        f"    print(rig.folder, *(rig.component(name).pid for name in {COMPONENTS!r}), flush=True)\n"
        "    signal.pause()\n"
    )
    root = Path(__file__).resolve().parents[ControlPlane.__module__.count(".")]
    env = {**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        folder, *started = owner.stdout.readline().split()
        assert len(started) == len(COMPONENTS)
        assert all(alive(int(pid)) for pid in started)
        owner.send_signal(number)
        owner.wait(60)
    until(lambda: not any(alive(int(pid)) for pid in started))
    until(lambda: not Path(folder).exists())

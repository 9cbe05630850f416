# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways into a cluster, as the API server's audit log tells who came."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import HOME_NAMESPACE, build
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.provisioner import (
    ACCOUNT,
    provisioner_objects,
)

from ..control_plane.cluster import ControlPlane
from .live_cluster import CLUSTER, Live, Object, fleet_of, tenant, wait_for


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


def config(plane: ControlPlane) -> Object:
    return yaml.safe_load(plane.kubeconfig_for("visitor", ["system:masters"]).read_text())


def token(plane: ControlPlane, account: str = "/api/v1/namespaces/default/serviceaccounts/default") -> str:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return plane.admin.request("POST", f"{account}/token", request)[1]["status"]["token"]


def exec_config(plane: ControlPlane, program: str) -> Object:
    found = config(plane)
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": ["-c", program]}
    found["users"][0]["user"] = {"exec": {**plugin, "interactiveMode": "Never"}}
    return found


def by_exec(plane: ControlPlane, _folder: Path) -> Access:
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": token(plane)},
    }
    return Access(kubeconfig=exec_config(plane, f"print({json.dumps(json.dumps(answer))})"))


def by_environment(_plane: ControlPlane, _folder: Path) -> Access:
    return Access.of({}, None)


DEFAULT_ACCOUNT = "system:serviceaccount:default:default"
WAYS: dict[str, tuple[Callable[[ControlPlane, Path], Access], str]] = {
    "a kubeconfig": (
        lambda plane, _unused: Access(kubeconfig=str(plane.kubeconfig_for("visitor", ["system:masters"]))), "visitor",
    ),
    "a kubeconfig as a dict": (lambda plane, _unused: Access(kubeconfig=config(plane)), "visitor"),
    "two kubeconfigs": (
        lambda plane, folder: Access(kubeconfig=f"{folder / 'absent'}:{plane.kubeconfig}"), "admin",
    ),
    "host and certificate": (
        lambda plane, _unused: Access(
            host=plane.server, ca_cert=str(plane.ca_file),
            client_cert=str(plane.layout.admin.certificate), client_key=str(plane.layout.admin.key),
        ),
        "admin",
    ),
    "host and token": (
        lambda plane, _unused: Access(host=plane.server, api_key=token(plane), ca_cert=str(plane.ca_file)),
        DEFAULT_ACCOUNT,
    ),
    "an unchecked certificate": (
        lambda plane, _unused: Access(host=plane.server, api_key=token(plane), validate_certs=False), DEFAULT_ACCOUNT,
    ),
    "an exec plugin": (by_exec, DEFAULT_ACCOUNT),
    "the environment": (by_environment, "admin"),
}  # fmt: skip


def who_came(plane: ControlPlane, access: Access) -> list[dict[str, Any]]:
    mark = plane.audit.mark()
    with Session.open(access) as session:
        session.request("get", "GET", "/api/v1/namespaces/default", ok=(403,))
    plane.audit.mark()
    return [e for e in plane.audit_events(mark) if e["userAgent"] == "k8s.self_provisioning"]


@pytest.mark.parametrize("way", WAYS)
def test_a_way_in(plane: ControlPlane, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(plane.kubeconfig))
    make, user = WAYS[way]
    assert [event["user"]["username"] for event in who_came(plane, make(plane, tmp_path))] == [user]


def test_acting_as_somebody_else(plane: ControlPlane) -> None:
    access = Access(kubeconfig=str(plane.kubeconfig), impersonate_user="ann", impersonate_groups=["leads", "others"])
    (event,) = who_came(plane, access)
    assert event["impersonatedUser"]["username"] == "ann"
    assert {"leads", "others"} <= set(event["impersonatedUser"]["groups"])


AS = {"as": "ann", "as-uid": "7", "as-groups": ["leads", "others"], "as-user-extra": {"ticket": ["GH-1"]}}


@pytest.mark.parametrize("as_file", [True, False], ids=["a file", "a dict"])
def test_a_kubeconfig_that_says_to_act_as_somebody_else(plane: ControlPlane, tmp_path: Path, as_file: bool) -> None:
    """As kubectl does. Not doing so would mean to act with more rights than were meant."""
    content = config(plane)
    content["users"][0]["user"].update(AS)
    content["users"].append({"name": "unused", "user": {"as": "nobody"}})
    (tmp_path / "config").write_text(yaml.safe_dump(content))
    given: Any = str(tmp_path / "config") if as_file else content
    (event,) = who_came(plane, Access(kubeconfig=given))
    acted = event["impersonatedUser"]
    assert (event["user"]["username"], acted["username"], acted["uid"]) == ("visitor", "ann", "7")
    assert {"leads", "others"} <= set(acted["groups"])
    assert acted["extra"] == {"ticket": ["GH-1"]}
    (event,) = who_came(plane, Access(kubeconfig=given, impersonate_user="task"))
    assert (event["impersonatedUser"]["username"], "uid" in event["impersonatedUser"]) == ("task", False)


def test_groups_without_a_user_to_act_as(plane: ControlPlane) -> None:
    content = config(plane)
    content["users"][0]["user"]["as-groups"] = ["leads"]
    with pytest.raises(LiveError, match=r"as-groups.*without 'as'"):
        Session.open(Access(kubeconfig=content))


SECRET = "hvs-0a1b2c3d4e5f6a7b8c9d0e1f"
SPILLS = {
    "its reason holds a secret": (
        f"import sys; sys.exit('no ticket for user:{SECRET}, Bearer abc.def')",
        r"no ticket for user:\*\*\*, Bearer \*\*\*",
    ),
    "its answer is no JSON": (f"print('{SECRET}')", "failed to decode process output"),
    "its answer is cut off": (f"print('{{\"token\": \"{SECRET}')", "failed to decode process output"),
    "its answer lacks the kind": (f"print('{{\"token\": \"{SECRET}\"}}')", "malformed response"),
    "it is not there": (None, "No such file"),
}  # fmt: skip


@pytest.mark.parametrize("spill", SPILLS)
def test_an_exec_plugin_that_fails_is_named_and_its_output_stays_private(
    plane: ControlPlane, spill: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in the message, nor in any log: with ANSIBLE_LOG_PATH the library's would end up in a file."""
    program, told = SPILLS[spill]
    broken = exec_config(plane, program or "")
    if program is None:
        broken["users"][0]["user"]["exec"]["command"] = "/nowhere/login"
    with pytest.raises(LiveError, match=rf"program for logging in failed: .*{told}") as caught:
        Session.open(Access(kubeconfig=broken))
    said = str(caught.value) + caplog.text + "".join(capfd.readouterr())
    assert SECRET not in said
    assert "abc.def" not in said
    assert caplog.records == []


@pytest.mark.parametrize("as_file", [True, False], ids=["a file", "a dict"])
def test_a_faulty_kubeconfig_is_named_and_not_shown(plane: ControlPlane, tmp_path: Path, as_file: bool) -> None:
    """The token stands where it does not belong."""
    content = config(plane)
    content["users"][0] = {"name": content["users"][0]["name"], "token": SECRET}
    (tmp_path / "config").write_text(yaml.safe_dump(content))
    with pytest.raises(LiveError, match=r"it cannot be used: .*Expected key user") as caught:
        Session.open(Access(kubeconfig=str(tmp_path / "config") if as_file else content))
    assert SECRET not in str(caught.value)


def test_the_inventory_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", "/env")
    monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "no")
    monkeypatch.setenv("K8S_AUTH_IMPERSONATE_GROUPS", "a, b")
    assert Access.of({}, "/inventory").kubeconfig == "/inventory"
    assert Access.of({"kubeconfig": "/task"}, "/inventory").kubeconfig == "/task"
    assert Access.of({"host": "https://x"}, "/inventory").kubeconfig is None
    found = Access.of({}, None)
    assert (found.kubeconfig, found.validate_certs, found.impersonate_groups) == ("/env", False, ["a", "b"])
    monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "perhaps")
    with pytest.raises(LiveError, match="neither true nor false"):
        Access.of({}, None)


@pytest.mark.parametrize(
    ("options", "inventory", "named"),
    [
        ({}, "/inventory", {"kubeconfig": "/inventory"}),
        ({"kubeconfig": "/task"}, None, {"kubeconfig": "/task"}),
        ({"host": "https://task", "api_key": "t"}, "/inventory", {"host": "https://task", "api_key": "t"}),
    ],
    ids=["the inventory", "a kubeconfig of the task", "a host of the task"],
)
def test_where_somebody_names_a_cluster_the_environment_names_no_other(
    options: Object, inventory: str | None, named: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the same for all clusters of a run: they would all be one, with whatever identity it says."""
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(f"K8S_AUTH_{name}", text)
    assert Access.of(options, inventory) == Access(**named, proxy="http://proxy", no_proxy="10.0.0.1")
    assert Access.of({}, None).host == "https://env"


ENVIRONMENT = {
    "KUBECONFIG": "/env", "HOST": "https://env", "API_KEY": "e", "USERNAME": "e", "PASSWORD": "e", "CONTEXT": "env",
    "VERIFY_SSL": "no", "SSL_CA_CERT": "/env", "CERT_FILE": "/env", "KEY_FILE": "/env", "IMPERSONATE_USER": "env",
    "IMPERSONATE_GROUPS": "env", "PROXY": "http://proxy", "NO_PROXY": "10.0.0.1",
}  # fmt: skip


def test_the_provisioner_s_rights_suffice(plane: ControlPlane) -> None:
    """Everything that a run does, with the ServiceAccount that an administrator set up for it; check mode as well."""
    live = Live(plane)
    inside = {
        "name": "rich",
        "role_bindings": [{"cluster_role": "view", "subjects": [{"kind": "User", "name": "ann"}]}],
    }
    leaving = {"name": "gone", "deletion_policy": "delete"}

    def declared(*environments: Object) -> list[Object]:
        fleet = fleet_of(tenant("rights", *environments), cluster_delivery="live")
        return [build("v1", "Namespace", HOME_NAMESPACE), *cluster_bundle(fleet, CLUSTER)]

    fleet = fleet_of(tenant("rights", inside, leaving), cluster_delivery="live")
    for target in provisioner_objects(fleet, CLUSTER, delete_namespaces=True):
        live.claim(target, "self-provisioning")
    path = f"/api/v1/namespaces/{HOME_NAMESPACE}/serviceaccounts/{ACCOUNT}"
    access = Access(host=plane.server, api_key=token(plane, path), ca_cert=str(plane.ca_file))
    everything = declared(inside, leaving)
    wait_for(lambda: not live.run(everything, access=access, check=True)["failed"], "the rights are in force")
    for wanted in (everything, declared(inside)):
        how = {"prune": True, "confirm_deletion": ["rights-lab-gone"], "diff": True}
        foretold = live.run(wanted, access=access, check=True, **how)
        really = live.run(wanted, access=access, **how)
        assert not really["failed"], really["objects"]
        assert (foretold["objects"], foretold["diff"]) == (really["objects"], really["diff"])
        assert not live.run(wanted, access=access, **how)["changed"]

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What flux_bootstrap makes of each login and option, on an API server where no controller runs.

That Flux gets into repositories with them is shown in tests/flux/test_logins.py.
"""

from __future__ import annotations

import base64
import json
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import RELEASE_LINES

from ..control_plane.cluster import ControlPlane
from ..flux.build import find
from ..flux.manifests import install_manifest
from .live_cluster import CLUSTER, CLUSTERS, SETTINGS
from .playbooks import tasks

Object = dict[str, Any]

URL = "https://git.example.edu/fleet.git"
SSH = "ssh://git@git.example.edu/fleet.git"
#: The definitions of these kinds, without which there is no repository to read; others are not looked at here.
KINDS = ("GitRepository", "Kustomization")
PLACES = {
    "secret": "/api/v1/namespaces/flux-system/secrets/flux-system",
    "repository": "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system",
    "authority": "/api/v1/namespaces/flux-system/configmaps/flux-ca",
    "controllers": "/apis/apps/v1/namespaces/flux-system/deployments",
}
#: Prints what is there in letters that Ansible takes for nothing but text.
LOOK = """
import base64, http.client, json, ssl, sys
port, authority, certificate, key, *paths = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
context.load_cert_chain(certificate, key)
server = http.client.HTTPSConnection("127.0.0.1", int(port), context=context)
def look(path):
    server.request("GET", path)
    return json.load(server.getresponse())
print(base64.b64encode(json.dumps([look(path) for path in paths]).encode()).decode())
"""


@dataclass(frozen=True)
class Login:
    """Options, and what Flux is then given.

    @param secret: the keys that Flux knows; None when it needs none.
    @param repository: the spec of the GitRepository, but for what all have.
    """

    given: Object
    secret: dict[str, str] | None = None
    repository: Object = field(default_factory=dict)


SECRET = {"secretRef": {"name": "flux-system"}}
#: From one to the next, on one cluster: nothing of the one before may be left.
LOGINS: dict[str, Login] = {
    "a password": Login(
        {"url": URL, "git": {"username": "us3r", "password": "p4ss", "bearer_token": "", "ca": None}},
        {"username": "us3r", "password": "p4ss"},
        {"url": URL, **SECRET},
    ),
    "a bearer token, and a private authority": Login(
        {"url": URL, "git": {"bearer_token": "t0ken", "ca": "th3irs\n"}},
        {"bearerToken": "t0ken", "ca.crt": "th3irs\n"},
        {"url": URL, **SECRET},
    ),
    "a deploy key": Login(
        {
            "url": SSH,
            "git": {"identity": "k3y\n", "identity_public": "ssh-ed25519 A", "known_hosts": "g ssh-ed25519 B"},
        },
        {"identity": "k3y\n", "identity.pub": "ssh-ed25519 A", "known_hosts": "g ssh-ed25519 B"},
        {"url": SSH, **SECRET},
    ),
    "a GitHub App": Login(
        {
            "url": URL,
            "provider": "github",
            # from YAML, where nobody quotes numbers
            "git": {"github_app_id": 12, "github_app_installation_id": 345, "github_app_private_key": "pr1vate"},
        },
        {"githubAppID": "12", "githubAppInstallationID": "345", "githubAppPrivateKey": "pr1vate"},
        {"url": URL, "provider": "github", **SECRET},
    ),
    "none": Login({"url": URL}, None, {"url": URL}),
}
#: Logins that cannot be meant, and what is told.
WRONG: list[tuple[Object, list[str]]] = [
    ({"identity": "k3y"}, ["git: a deploy key needs known_hosts, else Flux would trust any server."]),
    ({"user": "flux", "pasword": "p4ss"}, ["Did you mean 'username'?", "Did you mean 'password'?"]),
]
AUTHORITY = "-----BEGIN CERTIFICATE-----\n"
PROXY = {"HTTPS_PROXY": "http://proxy.example.edu:3128", "NO_PROXY": ".cluster.local,10.0.0.0/8"}


@dataclass
class Asked:
    """What the API server had after each run of the task."""

    runs: dict[str, Object]
    looks: dict[str, dict[str, Object]]
    wrong: list[Object]
    out: str


@pytest.fixture(scope="module")
def asked(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """One play: each login, but the last with the options of the controllers first, then what is refused."""
    folder = tmp_path_factory.mktemp("flux-login")
    line = control_plane.layout.binaries.release.line
    values = {**CLUSTERS[CLUSTER], "cluster_release_line": line, "cluster_kubeconfig": str(control_plane.kubeconfig)}
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    (folder / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": {CLUSTER: values}}}), encoding="utf-8")
    (folder / "flux.yaml").write_text(yaml.safe_dump_all(released(line)), encoding="utf-8")
    (folder / "ca.pem").write_text(AUTHORITY, encoding="utf-8")
    controllers = {"environment": PROXY, "registry": "registry.example.edu/flux/", "ca_file": str(folder / "ca.pem")}
    *logins, none = ((name, each.given) for name, each in LOGINS.items())
    steps = dict([*logins, ("controllers", {"url": URL, **controllers}), ("again", {"url": URL, **controllers}), none])
    wanted: list[Object] = []
    for options in steps.values():
        wanted += [bootstrap(folder, options), look(control_plane)]
    wanted += [bootstrap(folder, {"url": URL, "git": git}) for git, _told in WRONG]
    results, run = tasks(folder, wanted, "--diff", inventory=folder / "hosts.yml")
    runs = dict(zip(steps, results[::2], strict=False))
    looks = dict(zip(steps, results[1::2], strict=False))
    for name in steps:
        assert not runs[name]["failed"], runs[name]
    texts = {name: base64.b64decode(each["msg"]) for name, each in looks.items()}
    found = {name: dict(zip(PLACES, json.loads(text), strict=True)) for name, text in texts.items()}
    return Asked(runs, found, results[2 * len(steps) :], run.out)


def released(line: str) -> list[Object]:
    """A released manifest without what is of no matter here, under the version of the line."""
    found = [
        each
        for each in install_manifest(find())
        if each["kind"] in ("Namespace", "Deployment") or each.get("spec", {}).get("names", {}).get("kind") in KINDS
    ]
    for each in found:
        each["metadata"]["labels"]["app.kubernetes.io/version"] = f"v{RELEASE_LINES[line].flux}"
    return found


def bootstrap(folder: Path, options: Object) -> Object:
    common = {"cluster": CLUSTER, "manifest": str(folder / "flux.yaml")}
    return {"k8s.self_provisioning.flux_bootstrap": {**common, **options}}


def look(plane: ControlPlane) -> Object:
    """What the API server has at the places, between two runs."""
    login = plane.layout.admin
    way = [urlsplit(plane.server).port, plane.ca_file, login.certificate, login.key]
    command = shlex.join([sys.executable, "-c", LOOK, *map(str, way), *PLACES.values()])
    # What it prints is what nothing else may show.
    shown = {"msg": "{{ lookup('ansible.builtin.pipe', command) }}"}
    return {"ansible.builtin.debug": shown, "vars": {"command": command}, "no_log": True}


@pytest.mark.parametrize("name", LOGINS)
def test_a_login(asked: Asked, name: str) -> None:
    """The keys that Flux knows, and nothing of another login."""
    looked, login = asked.looks[name], LOGINS[name]
    common = ("ignore", "interval", "ref", "timeout")
    assert {k: v for k, v in looked["repository"]["spec"].items() if k not in common} == login.repository
    if login.secret is not None:
        stored = looked["secret"]["data"]
        assert {key: base64.b64decode(value).decode() for key, value in stored.items()} == login.secret


def test_nothing_of_a_login_is_told(asked: Asked) -> None:
    """Neither by the run with its diff, nor in what the task returns."""
    told = asked.out + json.dumps(list(asked.runs.values()))
    secret = [value for each in LOGINS.values() for value in (each.secret or {}).values() if not value.isdigit()]
    secret += [base64.b64encode(each.encode()).decode() for each in secret]
    assert len(secret) > 15
    assert [each for each in secret if each in told or json.dumps(each)[1:-1] in told] == []


def containers(found: dict[str, Object]) -> dict[str, tuple[Object, Object]]:
    """The container of each controller, with its pod."""
    pods = {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in found["controllers"]["items"]}
    return {name: (pod["containers"][0], pod) for name, pod in pods.items()}


def variables(container: Object) -> dict[str, str]:
    """Those with a value of their own."""
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def test_options_of_the_controllers(asked: Asked) -> None:
    """Each of them gets the proxy, the registry and the authority; a second run changes nothing."""
    before, after = containers(asked.looks["a password"]), containers(asked.looks["controllers"])
    assert len(after) >= 4
    for name, (container, pod) in after.items():
        was = before[name][0]
        folder = next(each["mountPath"] for each in container["volumeMounts"] if each["name"] == "flux-ca")
        own = variables(was) | PROXY | {"SSL_CERT_DIR": f"/etc/ssl/certs:{folder}"}
        assert variables(container) == own
        assert container["image"] == was["image"].replace("ghcr.io/fluxcd/", "registry.example.edu/flux/")
        assert "flux-ca" in [each["configMap"]["name"] for each in pod["volumes"] if "configMap" in each]
    assert asked.looks["controllers"]["authority"]["data"] == {"ca.crt": AUTHORITY}
    assert (asked.runs["again"]["changed"], asked.runs["again"]["objects"]) == (False, [])


def test_options_that_are_taken_back(asked: Asked) -> None:
    """Controllers are again as they were without."""
    assert containers(asked.looks["none"]) == containers(asked.looks["a password"])


def test_logins_that_cannot_be_meant(asked: Asked) -> None:
    """Each is refused with all that is wrong."""
    for (_git, told), result in zip(WRONG, asked.wrong, strict=True):
        assert result["failed"]
        for text in told:
            assert text in result["msg"]

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of Kubespray's inventories."""

from __future__ import annotations

import copy
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.inventory import HOSTS, VARIABLES
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_home import Home, write
from ansible_collections.k8s.self_provisioning.tests.tools.machines import Values, planned

CLUSTER = "east-prod"
PLANNED = planned("", None, (CLUSTER,)).clusters


def difference(folder: Path, variables: Values, machine: Values) -> list[dict[str, t.Any]]:
    """Writes the example's inventory with more variables of a cluster and its machines; returns what is shown."""
    rendered = copy.deepcopy(PLANNED[CLUSTER])
    rendered.files[VARIABLES].update(variables)
    for values in rendered.files[HOSTS]["all"]["hosts"].values():
        values.update(machine)
    return write(Home(folder), rendered)


@pytest.mark.parametrize(
    "secret",
    [
        {"kube_oidc_client_secret": "one\ntwo-HIDE\n"},
        {"tls_key_data": "one\ntwo-HIDE\n"},
        {"cloud_token": ["HIDE1", {"deep": "HIDE2"}]},
        {"azure_csi_aad_client_secret": 4711815},
        {"kube_vip_bgp_peerpass": "HIDE"},
        {"oci_private_key": "-----BEGIN PRIVATE KEY-----\nHIDE\n-----END PRIVATE KEY-----\n"},
        {"external_oracle_auth_passphrase": "HIDE"},
        {"external_huaweicloud_access_key": "HIDE"},
        {"kubeadm_certificate_key": "HIDE"},
        {"containerd_registry_auth": [{"registry": "r.example.org", "username": "u", "password": "HIDE"}]},
        {"crio_registry_auth": [{"registry": "r.example.org", "auth": "HIDE"}]},
        {"registry_htpasswd": "u:HIDE"},
        {"cinder_application_credential_secret": "HIDE"},
        {"http_proxy": "http://user:HI@HIDE@proxy.example.org:3128"},
        {"kube_kubeadm_apiserver_extra_args": {"x": "--cloud-password=HIDE"}},
        {"cloud_config": "[Global]\nsecret-key = HIDE\n"},
        {"some_file_content": "a:\n  password: HIDE\n"},
    ],
    ids=lambda secret: next(iter(secret)),
)
def test_no_secret_is_shown(tmp_path: Path, secret: Values) -> None:
    shown = str(difference(tmp_path, secret, {}))
    assert next(iter(secret)) in shown
    assert not [word for word in ("HIDE", "4711815") if word in shown], shown
    assert "HIDE" in (written := (tmp_path / "inventory" / VARIABLES).read_text()) or "4711815" in written
    shown = str(difference(tmp_path, {}, {}))
    assert next(iter(secret)) in shown, "it goes"
    assert not [word for word in ("HIDE", "4711815") if word in shown], shown


def test_a_password_that_became_something_else_is_not_shown(tmp_path: Path) -> None:
    shown = str(difference(tmp_path, {}, {"ansible_ssh_pass": {"a": "HIDE"}, "ansible_become_password": "HIDE"}))
    assert "ansible_ssh_pass" in shown
    assert "HIDE" not in shown


def test_what_is_no_secret_is_shown(tmp_path: Path) -> None:
    plain = {
        "kube_encrypt_secret_data": True,
        "kube_feature_gates": ["BoundServiceAccountToken=true"],
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane"}],
        "kube_etcd_key_file": "/etc/ssl/etcd/key.pem",
        "registry_tls_cert": "one\ntwo\n",
    }
    machine = {"ansible_ssh_private_key_file": "/home/ops/.ssh/id_ed25519"}
    (_hosts, hosts), (_variables, shown) = ((d["before"], d["after"]) for d in difference(tmp_path, plain, machine))
    assert "/home/ops/.ssh/id_ed25519" in hosts
    for value in ("secret_data: true", "Token=true", "key: node-role", "/etc/ssl/etcd/key.pem", "  two\n"):
        assert value in shown, shown
    assert "****" not in shown
    assert difference(tmp_path, plain, machine) == []


def test_a_changed_secret_is_a_difference_that_says_so(tmp_path: Path) -> None:
    difference(tmp_path, {"cloud_token": "HIDE1"}, {})
    (told,) = difference(tmp_path, {"cloud_token": "HIDE2"}, {})
    assert told["after"] == told["before"] + "# what differs is not shown: a secret, or how it is written\n"
    assert "HIDE" not in told["after"]


def test_a_file_that_cannot_be_read_as_variables_is_not_shown(tmp_path: Path) -> None:
    difference(tmp_path, {}, {})
    for text in ("cloud_token: [HIDE", "- HIDE\n", "1: HIDE\n"):
        (tmp_path / "inventory" / VARIABLES).write_text(text)
        (told,) = difference(tmp_path, {}, {})
        assert told["before"] == "# not shown, as it is no file of variables\n"

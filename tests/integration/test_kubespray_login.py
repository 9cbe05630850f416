# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrator's kubeconfig: a real API server gives it a certificate that soon ends."""

from __future__ import annotations

import base64
import datetime
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from ..control_plane.cluster import ControlPlane
from .kubespray_place import Place
from .playbooks import Run, tasks

pytestmark = pytest.mark.slow

#: What kubeadm makes since Kubernetes 1.29, in both release lines.
ADMINISTRATORS = "kubeadm:cluster-admins"
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": ADMINISTRATORS},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": ADMINISTRATORS}],
}
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


def build(place: Place, kubeconfig: Path, *arguments: str, **variables: object) -> Run:
    given = {"shaped_kubeconfig": str(kubeconfig)}
    return place.run("--limit", "west-cluster", *arguments, kubespray_variables=given, **variables)


def certificate(path: Path) -> x509.Certificate:
    user = yaml.safe_load(path.read_text())["users"][0]["user"]
    return x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))


def left(path: Path) -> datetime.timedelta:
    return certificate(path).not_valid_after_utc - datetime.datetime.now(datetime.timezone.utc)


@pytest.fixture
def long(control_plane: ControlPlane) -> Path:
    """The kubeconfig that kubeadm makes."""
    control_plane.admin.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", BINDING)
    return control_plane.kubeconfig_for("kubernetes-admin", [ADMINISTRATORS])


def test_the_kubeconfig_ends_soon_and_is_renewed_at_half_time(
    place: Place, control_plane: ControlPlane, long: Path
) -> None:
    built = build(place, long, kubespray_admin_hours=6)
    assert built.code == 0, built.out
    declared, kept = place.inventory.parent / "kube" / "west.conf", place.home("west-cluster") / "kubeconfig"
    assert declared.read_text() == kept.read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (declared, kept)} == {0o600}
    assert datetime.timedelta(hours=5) < left(declared) <= datetime.timedelta(hours=6)
    assert certificate(declared).subject == certificate(long).subject
    assert certificate(declared).public_key() != certificate(long).public_key()
    assert control_plane.admin.request("GET", REQUESTS)[1]["items"] == [], "nothing stays in the cluster"
    assert yaml.safe_load(declared.read_text())["current-context"] == "west-cluster"
    task: dict[str, object] = {"k8s.self_provisioning.capacity_info": {"cluster": "west-cluster"}}
    results, _run = tasks(place.directory, [task], inventory=place.inventory)
    assert "west-cluster" in results[0]["clusters"], "the cluster takes it"

    second = build(place, long, kubespray_admin_hours=6)
    assert (second.code, second.changed) == (0, 0), second.out
    before = declared.read_text()
    foretold = build(place, long, "--check", kubespray_admin_hours=24)
    assert "would get a new certificate" in foretold.out
    assert declared.read_text() == before
    renewed = place.run(
        *("--limit", "west-cluster"),
        kubespray_action="kubeconfig",
        kubespray_admin_hours=24,
        kubespray_today="2027-04-15",
    )
    assert (renewed.code, renewed.changed) == (0, 1), renewed.out
    assert "has a new certificate for 24 hours" in renewed.out
    assert left(declared) > datetime.timedelta(hours=23)
    assert "PRIVATE KEY" not in built.out + renewed.out


def test_a_cluster_that_gives_no_certificate_is_told_and_the_login_of_somebody_else_stays(
    place: Place, control_plane: ControlPlane
) -> None:
    declared = place.inventory.parent / "kube" / "west.conf"
    declared.parent.mkdir()
    provisioner = "users: [{name: provisioner, user: {token: t}}]\n"
    declared.write_text(provisioner)
    # nobody may ask for this group
    masters = control_plane.kubeconfig_for("kubernetes-admin", ["system:masters"])
    built = build(place, masters)
    assert built.code == 0, built.out
    said = " ".join(built.out.split())
    assert "kubeadm's own, which lives for a year, as the cluster gave no shorter one" in said
    assert "system:masters" in said
    assert f"{declared} is the login of provisioner, and stays" in said
    assert declared.read_text() == provisioner
    kept = place.home("west-cluster") / "kubeconfig"
    assert certificate(kept) == certificate(masters)
    asked = place.run("--limit", "west-cluster", kubespray_action="kubeconfig")
    assert asked.code != 0, "when it is all that was asked for, it is a failure"


def test_what_was_never_built_has_no_kubeconfig(place: Place) -> None:
    run = place.run("--limit", "east-cluster", kubespray_action="kubeconfig")
    assert run.code != 0
    assert "Kubespray has brought no kubeconfig yet" in run.out

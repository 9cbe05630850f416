# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role flux_bootstrap, on the cluster that it has installed Flux on."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_install import secret

from .site import LOGIN, Site

DEPLOYMENTS = "/apis/apps/v1/namespaces/flux-system/deployments"
SECRETS = "/api/v1/namespaces/flux-system/secrets"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"


def flags(site: Site, name: str) -> list[str]:
    """What a controller is started with."""
    found = site.rig.get(f"{DEPLOYMENTS}/{name}")
    assert found is not None
    return list(found["spec"]["template"]["spec"]["containers"][0]["args"])


def test_controllers_are_locked_down(site: Site) -> None:
    """As Flux asks for on clusters of several tenants."""
    for name in ("kustomize-controller", "helm-controller", "notification-controller"):
        assert "--no-cross-namespace-refs=true" in flags(site, name)
    assert "--no-remote-bases=true" in flags(site, "kustomize-controller")
    assert "--default-service-account=default" in flags(site, "kustomize-controller")
    assert "--default-service-account=default" in flags(site, "helm-controller")


def test_a_second_run_changes_nothing(site: Site) -> None:
    """Neither on the cluster nor in the key file."""
    before = (site.rig.folder / "east.agekey").read_bytes()
    run = site.bootstrap()
    assert (run.code, run.changed) == (0, 0), run.out
    assert (site.rig.folder / "east.agekey").read_bytes() == before


def test_check_mode_tells_and_changes_nothing(site: Site) -> None:
    """A changed flag is shown as a diff; passwords are not, and no lockdown flag can be taken away."""
    wanted = {"kustomize-controller": ["--concurrent=20", "--no-cross-namespace-refs=false"]}
    before = flags(site, "kustomize-controller")
    login = {**LOGIN, "password": "another one"}
    run = site.bootstrap("--check", "--diff", flux_bootstrap_flags=wanted, flux_bootstrap_git=login)
    assert (run.code, run.changed) == (0, 1), run.out
    assert '+        - "--concurrent=20"' in run.out
    assert "--no-cross-namespace-refs=false" not in run.out
    assert "another one" not in run.out
    assert base64.b64encode(b"another one").decode() not in run.out
    assert flags(site, "kustomize-controller") == before


def test_a_withdrawn_credential_goes(site: Site) -> None:
    """Also one that an older release has left behind; what others have put there stays."""
    path = f"{SECRETS}/alert-chat"
    admin = site.rig.plane.admin
    address = "https://chat.example.edu/"
    body = secret("alert-chat", {})
    del body["data"]
    for content in ({"address": address, "token": "old"}, {"address": address}):
        query = "?fieldManager=self-provisioning&force=true"
        admin.request("PATCH", path + query, {**body, "stringData": content}, content_type=APPLY)
    admin.request("PATCH", f"{path}?fieldManager=kubectl-edit", {"stringData": {"proxy": "x"}}, content_type=MERGE)

    def keys() -> set[str]:
        return {*(site.rig.get(path) or {})["data"]}

    site.settings = {"fleet_alerts": {"chat": {"type": "slack"}}}
    given = {"chat": {"address": address, "token": None}}
    try:
        for arguments, left in ((("--check",), {"address", "token", "proxy"}), ((), {"address", "proxy"})):
            run = site.bootstrap(*arguments, flux_bootstrap_alerts=given)
            assert (run.code, run.changed, keys()) == (0, 1, left), run.out
    finally:
        site.settings = {}
        admin.request("DELETE", path)


@pytest.mark.slow
def test_another_manifest_is_refused(site: Site) -> None:
    """One that is not the one that was meant, and one of another version."""
    run = site.bootstrap(flux_bootstrap_checksum=f"sha256:{'0' * 64}")
    assert run.code != 0
    assert "It is another file: find out why." in run.out
    manifest = site.rig.folder / "other.yaml"
    text = (site.rig.folder / "flux.yaml").read_text(encoding="utf-8").replace(site.rig.built.release.version, "2.6.0")
    manifest.write_text(text, encoding="utf-8")
    run = site.bootstrap(flux_bootstrap_manifest=str(manifest), flux_bootstrap_checksum="")
    assert run.code != 0
    assert "it is Flux v2.6.0, and the release line" in run.out
    run = site.bootstrap(flux_bootstrap_manifest="https://127.0.0.1:1/x.yaml", flux_bootstrap_checksum="")
    assert "is an address without flux_bootstrap_checksum" in " ".join(run.out.split())


@pytest.mark.slow
def test_the_age_key_is_made_once(site: Site) -> None:
    """It comes back from the cluster when the file is lost, and a foreign one is refused."""
    path = site.rig.folder / "east.agekey"
    key = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    stored = site.rig.get(f"{SECRETS}/sops-age")
    assert stored is not None
    assert base64.b64decode(stored["data"]["age.agekey"]).decode() == key
    path.unlink()
    run = site.bootstrap()
    assert (run.code, run.changed) == (0, 1), run.out
    assert path.read_text(encoding="utf-8") == key
    assert "AGE-SECRET-KEY" not in run.out
    foreign = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
    path.write_text(f"{foreign}\n", encoding="utf-8")
    try:
        run = site.bootstrap()
        assert run.code != 0
        assert "hold different keys" in run.out
        assert foreign not in run.out
    finally:
        path.write_text(key, encoding="utf-8")
        path.chmod(0o600)


def test_removal_needs_to_be_confirmed(site: Site) -> None:
    """By the name of the cluster."""
    run = site.bootstrap(flux_bootstrap_state="absent")
    assert run.code != 0
    assert "Set confirm: east." in run.out
    assert site.rig.get(f"{DEPLOYMENTS}/source-controller") is not None

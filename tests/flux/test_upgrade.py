# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one release of Flux to the next, where definitions lose the API versions in which objects are stored.

Only the controllers of one release can be built here, so the definitions are some of our own, in a group of Flux's and
with the versions that the definitions of two releases have; the real kustomize-controller applies to them.
"""

from __future__ import annotations

import copy
import http.client
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from .manifests import text_of
from .site import CLUSTER, Site

pytestmark = pytest.mark.slow

GROUP = "try.fluxcd.io"
OLD, NEW = "v1beta2", "v1"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OBJECTS = f"/apis/{GROUP}/{{}}/namespaces/flux-system/{{}}"
FILE = f"clusters/{CLUSTER}/gadgets/one.yaml"

Object = dict[str, Any]


def definition(kind: str, *versions: str, fields: tuple[str, ...] = ("size",)) -> Object:
    """A definition that stores in the first of its versions."""
    spec = {"type": "object", "properties": {name: {"type": "integer"} for name in fields}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    plural = f"{kind.lower()}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced",
            "versions": [
                {"name": name, "served": True, "storage": name == versions[0], "schema": copy.deepcopy(schema)}
                for name in versions
            ],
        },
    }


def thing(kind: str, version: str, name: str = "one", **spec: int) -> Object:
    """An object of one of them."""
    meta = {"name": name, "namespace": "flux-system"}
    return {"apiVersion": f"{GROUP}/{version}", "kind": kind, "metadata": meta, "spec": spec}


def kustomization() -> Object:
    """What applies the gadgets of the repository."""
    spec = {
        "interval": "1h",
        "path": f"./{FILE.rpartition('/')[0]}",
        "prune": True,
        "retryInterval": "1s",
        "serviceAccountName": "kustomize-controller",
        "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
    }
    meta = {"name": "gadgets", "namespace": "flux-system"}
    return {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": meta, "spec": spec}


class Upgrade:
    """The site, before it goes to a release whose definitions have the new version only."""

    def __init__(self, site: Site) -> None:
        """Put the older definitions and objects there."""
        self.site, self.rig = site, site.rig
        self.define(definition("Gadget", OLD))
        self.define(definition("Widget", OLD))
        self.rig.apply([thing("Widget", OLD, size=5)])
        self.define(definition("Widget", NEW, OLD))
        self.head = site.commit({FILE: yaml.safe_dump(thing("Gadget", OLD, size=1))})
        self.rig.apply([kustomization()])
        self.rig.ready("Kustomization", "gadgets", commit=self.head)

    def define(self, given: Object) -> None:
        """Apply a definition, and wait until it is served."""
        self.rig.apply([given])
        spec = given["spec"]
        paths = [OBJECTS.format(each["name"], spec["names"]["plural"]) for each in spec["versions"]]
        self.rig.until(lambda: all(self.rig.plane.admin.healthy(path) for path in paths), f"{paths} are served")

    def run(self, *arguments: str, definitions: tuple[Object, ...] = (), **variables: object) -> Any:
        """A run of the role with the newer release."""
        wanted = definitions or (definition("Gadget", NEW), definition("Widget", NEW))
        path = self.rig.folder / "newer.yaml"
        path.write_text(f"{text_of(self.rig.built)}---\n{yaml.safe_dump_all(wanted)}", encoding="utf-8")
        given = {"flux_bootstrap_manifest": str(path), "flux_bootstrap_checksum": "", **variables}
        return self.site.bootstrap(*arguments, **given)

    def versions(self, plural: str) -> tuple[list[str], list[str]]:
        """The versions that a definition has, and those in which objects are stored."""
        found = self.rig.get(f"{DEFINITIONS}/{plural}.{GROUP}")
        assert found
        return [each["name"] for each in found["spec"]["versions"]], found["status"]["storedVersions"]

    def read(self, plural: str, version: str) -> Object:
        """The object, in a version."""
        found = self.rig.get(f"{OBJECTS.format(version, plural)}/one")
        assert found
        return found


@pytest.fixture
def upgrade(site: Site) -> Iterator[Upgrade]:
    """The older release; nothing of it is left."""
    try:
        yield Upgrade(site)
    finally:
        admin = site.rig.plane.admin
        admin.request("DELETE", site.rig.path("Kustomization", "flux-system", "gadgets"))
        site.rig.until(
            lambda: site.rig.get(site.rig.path("Kustomization", "flux-system", "gadgets")) is None, "it is gone"
        )
        for plural in ("gadgets", "widgets", "gizmos"):
            status, answer = admin.request("DELETE", f"{DEFINITIONS}/{plural}.{GROUP}")
            assert status in (http.client.OK, http.client.NOT_FOUND), answer
        site.commit({FILE: None})
        site.settle()


def test_objects_move_before_their_versions_go(upgrade: Upgrade) -> None:
    """What is still declared in the old version is named first; then nothing is lost and everything goes on."""
    tree = str(upgrade.site.work.path)
    run = upgrade.run(flux_bootstrap_tree=tree)
    out = " ".join(run.out.split())
    assert (run.code != 0, run.changed) == (True, 0)
    assert f"Gadget flux-system/one, applied as {GROUP}/{OLD} by flux-system/gadgets" in out
    assert f"{FILE}: Gadget one, {GROUP}/{OLD}" in out
    assert upgrade.versions("gadgets") == ([OLD], [OLD])

    run = upgrade.run("--check", "--diff", flux_bootstrap_allow_outdated=True)
    assert (run.code, run.changed) == (0, 1), run.out
    assert f"CustomResourceDefinition gadgets.{GROUP}" in run.out
    assert upgrade.versions("widgets") == ([NEW, OLD], [OLD, NEW])

    run = upgrade.run(flux_bootstrap_allow_outdated=True)
    assert (run.code, run.changed) == (0, 1), run.out
    for plural, size in (("gadgets", 1), ("widgets", 5)):
        assert upgrade.versions(plural) == ([NEW], [NEW])
        found = upgrade.read(plural, NEW)
        assert found["spec"] == {"size": size}
        assert {each["apiVersion"] for each in found["metadata"]["managedFields"]} == {f"{GROUP}/{NEW}"}

    # What is declared in the old version fails, and takes nothing away; in the new one it goes on.
    upgrade.rig.poke("Kustomization", "gadgets")
    upgrade.rig.until(lambda: upgrade.rig.condition("Kustomization", "gadgets")[0] == "False", "it fails")
    assert upgrade.read("gadgets", NEW)["spec"] == {"size": 1}
    head = upgrade.site.commit({FILE: yaml.safe_dump(thing("Gadget", NEW, size=2))})
    upgrade.rig.ready("Kustomization", "gadgets", commit=head)
    assert upgrade.read("gadgets", NEW)["spec"] == {"size": 2}

    run = upgrade.run(flux_bootstrap_tree=tree)
    assert (run.code, run.changed) == (0, 0), run.out


def test_what_the_new_version_does_not_know_is_not_lost(upgrade: Upgrade) -> None:
    """The run ends before anything is written in the new version, and says what would be lost."""
    upgrade.define(definition("Gizmo", OLD, fields=("size", "weight")))
    upgrade.rig.apply([thing("Gizmo", OLD, size=1, weight=2)])
    wanted = (definition("Gadget", OLD), definition("Widget", NEW, OLD), definition("Gizmo", NEW))
    run = upgrade.run(definitions=wanted)
    assert run.code != 0
    assert "Gizmo flux-system/one: spec.weight" in " ".join(run.out.split())
    assert upgrade.versions("gizmos") == ([NEW, OLD], [OLD])
    assert upgrade.read("gizmos", OLD)["spec"] == {"size": 1, "weight": 2}

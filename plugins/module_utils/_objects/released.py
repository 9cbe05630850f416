# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Released manifests as text: what projects publish beside, or instead of, a chart."""

from __future__ import annotations

import typing as t

from .._libraries import load
from .common import Object
from .foundation import versions_in

if t.TYPE_CHECKING:
    import yaml
else:
    yaml = load("yaml")


class ManifestError(ValueError):
    """A manifest that cannot be the one that was meant; says what is wrong and what to do."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what} {fix}")
        self.what, self.fix = what, fix


def objects_of(text: str) -> list[Object]:
    """The objects of a manifest.

    @raises ManifestError: it is none.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = [each for each in yaml.load_all(text, Loader=loader) if each]
    except yaml.YAMLError as error:
        raise ManifestError(f"it is not YAML: {error}.", "Get it again.") from None
    for each in found:
        if not (isinstance(each, dict) and each.get("kind") and (each.get("metadata") or {}).get("name")):
            raise ManifestError("it holds something that is no Kubernetes object.", "Get it again.")
    if not found:
        raise ManifestError("it holds no object.", "Get it again.")
    return found


def check(objects: list[Object], service: str, version: str, namespace: str) -> None:
    """Whether a manifest is of the version that was meant, and for the namespace that was meant.

    @raises ManifestError: it is not.
    """
    found = versions_in(objects)
    if version.removeprefix("v") not in found:
        raise ManifestError(
            f"it runs {service} {' and '.join(found) or 'of no version'}, and {version} is wanted.",
            f"Get the manifest of {version}, or set the version in fleet_services.{service}.",
        )
    homes = sorted({each["metadata"]["namespace"] for each in objects if each["metadata"].get("namespace")})
    if [each for each in homes if each not in (namespace, "kube-system")]:
        raise ManifestError(
            f"it installs into {', '.join(homes)}, and fleet_services.{service} says {namespace}.",
            f"Set fleet_services.{service}.namespace to what the manifest says.",
        )

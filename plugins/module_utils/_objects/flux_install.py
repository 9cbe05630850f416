# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flux itself: the released manifest made ready for many tenants, and the objects by which it reads the fleet tree."""

from __future__ import annotations

import copy
import hashlib
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._model.entities import Cluster, Settings
from .common import FLUX_NAMESPACE, FLUX_SOURCE, Object, build, encoded

SYNC = FLUX_SOURCE["name"]
#: The Secret with which Flux reads the repository, and the one that opens what SOPS has encrypted.
GIT_SECRET = SYNC
AGE_KEYS = "sops-age"
AGE_KEY = "age.agekey"
CA_MAP = "flux-ca"
_CA_FILE = "ca.crt"
_CA_FOLDER = "/etc/flux-ca"

#: What of the tree only the playbooks read; some of it grows with the fleet.
_OF_THE_TOOL = (".fleet-manifest.json", "ledger.csv", "placements.yaml", "vendor/")

#: What Flux asks for on clusters of several tenants: nobody refers to another namespace, fetches what is not in the
#: repository, or is applied with the rights of Flux because no account is named.
_NO_REFERENCES = "--no-cross-namespace-refs=true"
_NO_RIGHTS = "--default-service-account=default"
LOCKDOWN: Mapping[str, tuple[str, ...]] = {
    "kustomize-controller": (_NO_REFERENCES, "--no-remote-bases=true", _NO_RIGHTS),
    "helm-controller": (_NO_REFERENCES, _NO_RIGHTS),
    "notification-controller": (_NO_REFERENCES,),
    "image-reflector-controller": (_NO_REFERENCES,),
    "image-automation-controller": (_NO_REFERENCES,),
}

#: A dependency that is not ready is looked at again after this time. With Flux's 30 s every commit would reach tenants
#: half a minute late, because what they depend on is never at the new commit yet when they are tried first.
_REQUEUE = "--requeue-dependency=5s"
DEFAULTS: Mapping[str, tuple[str, ...]] = {"kustomize-controller": (_REQUEUE,), "helm-controller": (_REQUEUE,)}


@dataclass(frozen=True)
class Changes:
    """How the released manifest is changed.

    @param flags: more flags, by controller.
    @param environment: variables of every controller, such as those of a proxy.
    @param registry: where the images are, instead of C(ghcr.io/fluxcd).
    @param authority: certificates that every controller trusts besides the system's, as PEM.
    """

    flags: Mapping[str, list[str]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    registry: str = ""
    authority: str = ""


def controllers(manifest: Iterable[Object]) -> list[str]:
    """The names of the controllers of a released manifest."""
    return [each["metadata"]["name"] for each in manifest if _is_controller(each)]


def installed(manifest: Iterable[Object], changes: Changes) -> list[Object]:
    """The objects of the released manifest, locked down and changed."""
    result = []
    for given in manifest:
        each = copy.deepcopy(given)
        if _is_controller(each):
            _controller(each, changes)
        result.append(each)
    if changes.authority:
        result.append(build("v1", "ConfigMap", CA_MAP, namespace=FLUX_NAMESPACE, data={_CA_FILE: changes.authority}))
    # The API server applies a Deployment that names a ConfigMap which comes later, but its pods would wait.
    return sorted(result, key=lambda each: each["kind"] == "Deployment")


def _is_controller(each: Object) -> bool:
    return each["kind"] == "Deployment" and str(each["metadata"]["name"]).endswith(("-controller", "-watcher"))


def _controller(target: Object, changes: Changes) -> None:
    name = target["metadata"]["name"]
    template = target["spec"]["template"]
    pod = template["spec"]
    container = next(each for each in pod["containers"] if each["name"] == "manager")
    args = container.setdefault("args", [])
    for more in (DEFAULTS.get(name, ()), changes.flags.get(name, ()), LOCKDOWN.get(name, ())):
        # They replace those from before; among themselves a flag may be there several times.
        named = {flag.partition("=")[0] for flag in more}
        args[:] = [*(each for each in args if each.partition("=")[0] not in named), *more]
    variables = dict(sorted(changes.environment.items()))
    if changes.authority:
        # Go reads this folder besides the system's.
        variables["SSL_CERT_DIR"] = f"/etc/ssl/certs:{_CA_FOLDER}"
        pod.setdefault("volumes", []).append({"name": CA_MAP, "configMap": {"name": CA_MAP}})
        container.setdefault("volumeMounts", []).append({"name": CA_MAP, "mountPath": _CA_FOLDER, "readOnly": True})
        # It does so once, so another authority needs other pods.
        digest = hashlib.sha256(changes.authority.encode()).hexdigest()
        template.setdefault("metadata", {}).setdefault("annotations", {})[f"checksum/{CA_MAP}"] = digest
    known = [each for each in container.get("env", []) if each["name"] not in variables]
    container["env"] = [*known, *({"name": key, "value": value} for key, value in variables.items())]
    if changes.registry:
        container["image"] = f"{changes.registry.rstrip('/')}/{container['image'].rpartition('/')[2]}"


def sync_objects(
    cluster: Cluster, settings: Settings, *, url: str = "", secret: bool = False, provider: str = ""
) -> list[Object]:
    """The repository, and the Kustomization that applies the folder of the cluster.

    @param url: instead of the one of C(fleet_git), as when a cluster reads a mirror.
    @param secret: whether reading needs the Secret of C(git_secret).
    @param provider: of the repository, such as C(github).
    """
    git = settings.git
    repository: dict[str, t.Any] = {
        "ignore": _others(cluster),
        "interval": git["poll_interval"],
        "ref": {"branch": git["branch"]},
        "timeout": "60s",
        "url": url or git["url"],
    }
    if secret:
        repository["secretRef"] = {"name": GIT_SECRET}
    if provider:
        repository["provider"] = provider
    return [
        build("source.toolkit.fluxcd.io/v1", "GitRepository", SYNC, namespace=FLUX_NAMESPACE, spec=repository),
        build(
            "kustomize.toolkit.fluxcd.io/v1",
            "Kustomization",
            SYNC,
            namespace=FLUX_NAMESPACE,
            spec={
                "force": False,
                "interval": git["interval"],
                "path": f"./clusters/{cluster.name}",
                "prune": True,
                "retryInterval": git["retry_interval"],
                "serviceAccountName": "kustomize-controller",
                "sourceRef": FLUX_SOURCE,
                "timeout": git["timeout"],
                # What it applies are Kustomizations, each with a health of its own.
                "wait": False,
            },
        ),
    ]


def _others(cluster: Cluster) -> str:
    """What of the tree this cluster does not read. Each Kustomization unpacks all that the source has fetched, each
    time, so that the folders of sixty clusters would make everything slow."""
    own = f"/clusters/*\n!/clusters/{cluster.name}/\n"
    return own + "".join(f"/{each}\n" for each in _OF_THE_TOOL)


def secret(name: str, content: Mapping[str, str]) -> Object:
    """A Secret of Flux; never to be written into Git as it is."""
    return build("v1", "Secret", name, namespace=FLUX_NAMESPACE, type="Opaque", data=encoded(content))

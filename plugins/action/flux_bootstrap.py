# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs Flux on a cluster; see the module of the same name."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access, flux
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.bootstrap import Applied
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.identity import check_cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import show, unknown
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import RELEASE_LINES
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import flux_install
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import Object
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _flux_alerts as flux_alerts
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _flux_files as flux_files
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _flux_upgrade as flux_upgrade
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._applied import enter
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import (
    ClusterAction,
    check_confirmed,
    check_known,
    way,
)
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._released import parsed

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "confirm": {"type": "str"},
    "manifest": {"type": "str", "required": True},
    "checksum": {"type": "str"},
    "url": {"type": "str"},
    "provider": {"type": "str"},
    "git": {"type": "dict", "no_log": True, "default": {}},
    "age_key_file": {"type": "path"},
    "flags": {"type": "dict", "default": {}},
    "environment": {"type": "dict", "default": {}},
    "registry": {"type": "str", "default": ""},
    "ca_file": {"type": "path"},
    "alerts": {"type": "dict", "no_log": True, "default": {}},
    "tree": {"type": "path"},
    "allow_outdated": {"type": "bool", "default": False},
}
#: Keys of the Secret of a repository, by what Flux calls them.
_GIT_KEYS = {
    "username": "username",
    "password": "password",
    "bearer_token": "bearerToken",
    "identity": "identity",
    "identity_public": "identity.pub",
    "known_hosts": "known_hosts",
    "ca": "ca.crt",
    "github_app_id": "githubAppID",
    "github_app_installation_id": "githubAppInstallationID",
    "github_app_private_key": "githubAppPrivateKey",
}
_FLAG = re.compile(r"--[^\s=]+(=.*)?", re.DOTALL)


class ActionModule(ClusterAction):
    """Runs on the controller, with the identity of an administrator."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments, fleet, cluster = self.prepared(SPEC, task_vars or {})
        check = bool(self._task.check_mode)
        result: dict[str, t.Any] = {"changed": False, "objects": [], "version": "", "age_recipients": []}
        result["outdated"] = []
        try:
            if cluster.delivery != "gitops":
                raise LiveError(
                    "cluster_delivery",
                    "it is 'live': Flux would fight with it.",
                    "Set cluster_delivery: gitops first.",
                )
            manifest = _manifest(arguments, cluster)
            result["version"] = _version(manifest)
            present = arguments["state"] == "present"
            wanted = _wanted(fleet, cluster, manifest, arguments) if present else ([], [])
            # An administrator's: the one of the inventory may be somebody's with less rights.
            with Session.open(way(arguments, cluster.get("kubeconfig"))) as session:
                check_cluster(session, cluster.name)
                if present:
                    done = _present(session, fleet, cluster, wanted, arguments, result, check=check)
                else:
                    check_confirmed("Flux", arguments)
                    done = flux.remove(session, manifest, check=check)
        except LiveError as error:
            raise AnsibleActionFail(f"{cluster.name}: {error}") from None
        enter(result, done, diff=bool(self._task.diff))
        return result


def _manifest(arguments: Mapping[str, t.Any], cluster: Cluster) -> list[Object]:
    """The released manifest, which must be the one that was meant."""
    _content, objects = parsed(arguments, "manifest")
    version, wanted = _version(objects), RELEASE_LINES[cluster.release_line].flux
    if version != f"v{wanted}":
        raise LiveError(
            "manifest",
            f"it is Flux {version or 'of no version'}, and the release line {cluster.release_line} has v{wanted}.",
            f"Export it with the flux command of version {wanted}.",
        )
    return objects


def _version(objects: list[Object]) -> str:
    labels = [(each.get("metadata") or {}).get("labels") or {} for each in objects]
    return next((str(each["app.kubernetes.io/version"]) for each in labels if "app.kubernetes.io/version" in each), "")


def _wanted(
    fleet: Fleet, cluster: Cluster, manifest: list[Object], arguments: Mapping[str, t.Any]
) -> tuple[list[Object], list[Object]]:
    """Flux as it is to be installed, and the Secrets that were given; without asking the cluster anything."""
    changes = flux_install.Changes(
        flags=_flags(plain(arguments["flags"]), flux_install.controllers(manifest)),
        environment={name: str(value) for name, value in arguments["environment"].items()},
        registry=arguments["registry"],
        authority=flux_files.text("ca_file", Path(arguments["ca_file"])) if arguments["ca_file"] else "",
    )
    secrets = flux_alerts.secrets(arguments["alerts"], cluster, fleet.settings)
    login = _login(arguments["git"])
    if login:
        secrets.append(flux_install.secret(flux_install.GIT_SECRET, login))
    return flux_install.installed(manifest, changes), secrets


def _present(
    session: Session,
    fleet: Fleet,
    cluster: Cluster,
    wanted: tuple[list[Object], list[Object]],
    arguments: Mapping[str, t.Any],
    result: dict[str, t.Any],
    *,
    check: bool,
) -> list[Applied]:
    software, secrets = wanted
    tree, anyway = arguments["tree"], arguments["allow_outdated"]
    moves = flux_upgrade.moves(session, cluster, software, tree, result, anyway=anyway)
    doubts = flux_alerts.doubts(session, arguments["alerts"], cluster, fleet)
    result["warnings"] = [*result.get("warnings", []), *doubts]
    objects = [*software, *secrets]
    if arguments["age_key_file"]:
        key = flux_files.age_key(session, Path(arguments["age_key_file"]), result, check=check)
        objects.append(flux_install.secret(flux_install.AGE_KEYS, {flux_install.AGE_KEY: key}))
    sync = flux_install.sync_objects(
        cluster,
        fleet.settings,
        url=arguments["url"] or "",
        secret=any(each["metadata"]["name"] == flux_install.GIT_SECRET for each in secrets),
        provider=arguments["provider"] or "",
    )
    return flux.install(session, objects, sync, moves, check=check)


def _flags(given: Mapping[str, t.Any], controllers: list[str]) -> dict[str, list[str]]:
    """@raises LiveError: a controller is not in the manifest, or could not read its flags; all of them are told."""
    wrong = []
    for name, flags in given.items():
        if name not in controllers:
            wrong.append(unknown("controller", name, controllers))
        elif not isinstance(flags, list):
            wrong.append(f"what {name} gets is no list.")
        else:
            bad = [each for each in flags if not isinstance(each, str) or not _FLAG.fullmatch(each)]
            wrong += [f"{name} gets {show(each)}, which is no flag." for each in bad]
    if wrong:
        raise LiveError("flags", " ".join(wrong), "Give each controller a list such as ['--concurrent=10'].")
    return dict(given)


def _login(given: Mapping[str, t.Any]) -> dict[str, str]:
    check_known("git", "key", given, _GIT_KEYS)
    result = {}
    for name, value in given.items():
        if value:
            result[_GIT_KEYS[name]] = str(plain(value))
    if "identity" in result and "known_hosts" not in result:
        raise LiveError(
            "git", "a deploy key needs known_hosts, else Flux would trust any server.", "Add what ssh-keyscan prints."
        )
    return result

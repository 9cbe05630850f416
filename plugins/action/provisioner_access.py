# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives the provisioner its least rights on a cluster; see the module of the same name."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access, bootstrap
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.identity import check_cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import provisioner
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import Object
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import render
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._applied import enter
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import ClusterAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._private_file import write

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "manifest": {"type": "path"},
    "apply": {"type": "bool", "default": False},
    "delete_namespaces": {"type": "bool", "default": False},
    "access_reviews": {"type": "bool", "default": False},
    "login": {"type": "path"},
    "expiration_seconds": {"type": "int", "default": 3600},
    "report": {"type": "str", "choices": ["none", "manifest"], "default": "none"},
}
#: What the API server takes.
_SHORTEST, _LONGEST = 600, 2**32 - 1


class ActionModule(ClusterAction):
    """Runs on the controller, with the identity of an administrator."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments, fleet, cluster = self.prepared(SPEC, task_vars or {})
        name = cluster.name
        if not _SHORTEST <= arguments["expiration_seconds"] <= _LONGEST:
            raise AnsibleActionFail(f"expiration_seconds: give at least {_SHORTEST}.")
        if cluster.delivery == "gitops" and arguments["login"]:
            raise AnsibleActionFail(
                f"login: {name} has cluster_delivery: gitops, so Flux applies its objects from within and there is no "
                f"provisioner to log in as. Leave out login (provisioner_login of the playbook), choose clusters that "
                f"are delivered live with --limit, or set cluster_delivery: live in the host_vars of {name}."
            )
        objects = _objects(fleet, name, arguments)
        text = render(objects, "the inventory").decode()
        check = bool(self._task.check_mode)
        result: dict[str, t.Any] = {"changed": False, "objects": objects, "applied": [], "login_expires_at": ""}
        if arguments["report"] == "manifest":
            self.say([text])
        if arguments["manifest"]:
            result["changed"] = write(Path(arguments["manifest"]), text, mode=0o644, check=check)
        if arguments["apply"] or arguments["login"]:
            try:
                self._on_cluster(name, objects, arguments, result, check=check)
            except LiveError as error:
                raise AnsibleActionFail(f"{name}: {error}") from None
        return result

    def _on_cluster(
        self, name: str, objects: list[Object], arguments: Mapping[str, t.Any], result: dict[str, t.Any], *, check: bool
    ) -> None:
        # Never the kubeconfig of the inventory: that is the provisioner's own.
        way = access.Access.of(arguments)
        if not way.is_given:
            raise LiveError("kubeconfig", "none is given.", "Give the one of an administrator of this cluster.")
        with Session.open(way, progress=self.progress(name)) as session:
            check_cluster(session, name)
            if arguments["apply"]:
                done = bootstrap.apply(session, objects, check=check)
                enter(result, done, diff=bool(self._task.diff), key="applied")
            if arguments["login"]:
                _write_login(session, name, arguments, result, check=check)


def _objects(fleet: Fleet, name: str, arguments: Mapping[str, t.Any]) -> list[Object]:
    if fleet.clusters[name].delivery == "gitops":
        return provisioner.flux_objects(fleet, name)
    return provisioner.provisioner_objects(
        fleet,
        name,
        delete_namespaces=arguments["delete_namespaces"],
        access_reviews=arguments["access_reviews"],
    )


def _write_login(
    session: Session, name: str, arguments: Mapping[str, t.Any], result: dict[str, t.Any], *, check: bool
) -> None:
    """A new token when the one in the file has lived for half of its time. Nothing of it goes into the result."""
    path, seconds = Path(arguments["login"]), arguments["expiration_seconds"]
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = None
    private = known is not None and path.stat().st_mode & 0o077 == 0
    left = bootstrap.seconds_left(known, session.endpoint, time.time())
    if private and left > seconds / 2:
        return
    result["changed"] = True
    if check:
        return
    login = bootstrap.request_token(session, provisioner.NAMESPACE, provisioner.ACCOUNT, seconds)
    config = bootstrap.kubeconfig(session, name, provisioner.ACCOUNT, login.token)
    # JSON is YAML, and the same on every controller.
    write(path, json.dumps(config, indent=1) + "\n", mode=0o600)
    result["login_expires_at"] = login.ends.strftime("%Y-%m-%dT%H:%M:%SZ")

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists the databases of tenants, and writes their Secrets; see the module of the same name."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import databases as model
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_cluster import recipients
from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import passwords
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import render
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _sops as sops
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._private_file import write

SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["listed", "delivered"], "default": "listed"},
    "tree": {"type": "path"},
    "secret": {"type": "str", "no_log": True},
    "endpoint": {"type": "dict", "default": {}},
    "sops": {"type": "str", "default": "sops"},
}
#: Below the folder of a cluster's secrets; everything in it is ours.
FOLDER = "databases"
_NEEDED = ("host", "port", "read_only_port", "ca")
_NOTE = "content"


class ActionModule(FleetAction):
    """Runs on the controller and contacts nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments = self.arguments(SPEC)
        fleet = self.fleet(arguments, task_vars or {})
        found = model.databases(fleet.environments)
        secret = arguments["secret"]
        if secret:
            try:
                for each in found:
                    purpose = f"role {each['owner']}"
                    each["password"] = passwords.derived(secret.strip(), purpose, each["password_generation"])
            except ValueError as error:
                raise AnsibleActionFail(f"secret: {error}") from None
        result: dict[str, t.Any] = {"changed": False, "databases": found, "written": [], "undelivered": []}
        if arguments["state"] == "delivered":
            if not arguments["tree"] or not secret or set(_NEEDED) - set(arguments["endpoint"]):
                raise AnsibleActionFail(f"state: delivered needs tree, secret, and endpoint with {', '.join(_NEEDED)}.")
            delivery = _Delivery(fleet, arguments, check=bool(self._task.check_mode))
            result["written"], result["undelivered"] = delivery.deliver(found)
            result["changed"] = bool(result["written"])
            result["diff"] = {"before": "", "after": "".join(f"{path}\n" for path in result["written"])}
        return result


class _Delivery:
    """Writes what differs."""

    def __init__(self, fleet: Fleet, arguments: Mapping[str, t.Any], *, check: bool) -> None:
        self._root = Path(arguments["tree"]).absolute()
        self._fleet, self._endpoint, self._check = fleet, arguments["endpoint"], check
        self._key, self._sops = arguments["secret"].encode(), arguments["sops"]

    def deliver(self, found: list[dict[str, t.Any]]) -> tuple[list[str], list[str]]:
        """The files that were written or removed, and what could not be delivered."""
        if not self._root.is_dir() and not self._check:
            raise AnsibleActionFail(
                f"tree: {self._root} is no folder. Run the playbook tenants first, which makes the tree."
            )
        written, undelivered, wanted = [], [], set()
        for each in found:
            for name in each["clusters"]:
                cluster = self._fleet.clusters[name]
                keys = recipients(cluster, self._fleet.settings)
                path = paths.cluster_folder(
                    name, paths.SECRETS, FOLDER, f"{each['namespace']}.{each['secret_name']}.yaml"
                )
                why = ""
                if cluster.delivery != "gitops":
                    why = "it is delivered live; put the Secret there yourself"
                else:
                    # also what cannot be written now: without its file, Flux takes the Secret from its application
                    wanted.add(path)
                    if not keys:
                        why = "it has no public key; set cluster_age_recipients"
                if why:
                    undelivered.append(f"{each['namespace']}/{each['secret_name']} on {name}: {why}")
                elif self._write(path, each, keys):
                    written.append(path)
        for old in sorted(self._root.glob(paths.cluster_folder("*", paths.SECRETS, FOLDER, "*.yaml"))):
            relative = str(old.relative_to(self._root))
            if relative not in wanted:
                written.append(relative)
                if not self._check:
                    old.unlink()
        return written, undelivered

    def _write(self, path: str, each: Mapping[str, t.Any], keys: list[str]) -> bool:
        file, note = self._root / path, f"{self._fleet.settings.label_domain}/{_NOTE}"
        document = self._document(each, note)
        if sops.annotation(file, note, keys) == document["metadata"]["annotations"][note]:
            return False
        if self._check:
            return True
        encrypted = sops.encrypt(self._sops, render([document], "databases").decode(), keys)
        with contextlib.suppress(FileExistsError):
            file.parent.mkdir(parents=True)
        return write(file, encrypted, mode=0o644)

    def _document(self, each: Mapping[str, t.Any], note: str) -> dict[str, t.Any]:
        host, port = str(self._endpoint["host"]), str(self._endpoint["port"])
        places = ",".join(f"{name}:{port}" for name in host.split(","))
        content = {
            "host": host,
            "port": port,
            "read_only_port": str(self._endpoint["read_only_port"]),
            "database": each["name"],
            "username": each["owner"],
            "password": each["password"],
            "sslmode": "verify-full",
            "ca.crt": self._endpoint["ca"],
            "uri": f"postgresql://{each['owner']}:{each['password']}@{places}/{each['name']}?sslmode=verify-full",
        }
        # Tells that nothing has changed without opening it; whoever does not know the secret learns nothing from it.
        digest = hmac.new(self._key, json.dumps(content, sort_keys=True).encode(), hashlib.sha256).hexdigest()
        domain = self._fleet.settings.label_domain
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": each["secret_name"],
                "namespace": each["namespace"],
                "labels": {
                    f"{domain}/tenant": each["tenant"],
                    f"{domain}/project": each["project"],
                    f"{domain}/environment": each["environment"],
                },
                "annotations": {note: digest},
            },
            "type": "Opaque",
            "stringData": content,
        }

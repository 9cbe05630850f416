# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists the databases of tenants, and writes their Secrets; see the module of the same name."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
import subprocess
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import databases as model
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import passwords
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths
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
_TIMEOUT = 60


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
        written, undelivered, wanted = [], [], set()
        for each in found:
            for cluster in each["clusters"]:
                why = self._why_not(cluster)
                if why:
                    undelivered.append(f"{each['namespace']}/{each['secret_name']} on {cluster}: {why}")
                    continue
                name = f"{each['namespace']}.{each['secret_name']}.yaml"
                path = paths.cluster_folder(cluster, paths.SECRETS, FOLDER, name)
                wanted.add(path)
                if self._write(path, each):
                    written.append(path)
        for old in sorted(self._root.glob(paths.cluster_folder("*", paths.SECRETS, FOLDER, "*.yaml"))):
            relative = str(old.relative_to(self._root))
            if relative not in wanted:
                written.append(relative)
                if not self._check:
                    old.unlink()
        return written, undelivered

    def _why_not(self, cluster: str) -> str:
        if self._fleet.clusters[cluster].delivery != "gitops":
            return "it is delivered live; put the Secret there yourself"
        rules = self._root / paths.SOPS
        text = rules.read_text(encoding="utf-8") if rules.exists() else ""
        if f"{paths.cluster_folder(cluster)}/" not in text.replace("\\", ""):
            return "it has no public key; set cluster_age_recipients and run the playbook tenants"
        return ""

    def _write(self, path: str, each: Mapping[str, t.Any]) -> bool:
        document = self._document(each)
        file = self._root / path
        note = next(iter(document["metadata"]["annotations"].items()))
        if file.exists() and re.search(rf"{re.escape(note[0])}: [\"']?{note[1]}\b", file.read_text(encoding="utf-8")):
            return False
        if self._check:
            return True
        encrypted = self._encrypt(file, json.dumps(document))
        with contextlib.suppress(FileExistsError):
            file.parent.mkdir(parents=True)
        return write(file, encrypted, mode=0o644)

    def _document(self, each: Mapping[str, t.Any]) -> dict[str, t.Any]:
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
                "annotations": {f"{domain}/content": digest},
            },
            "type": "Opaque",
            "stringData": content,
        }

    def _encrypt(self, file: Path, text: str) -> str:
        command = [self._sops, "--config", str(self._root / paths.SOPS), "encrypt", "--filename-override", str(file)]
        command += ["--input-type", "json", "--output-type", "yaml", "/dev/stdin"]
        try:
            done = subprocess.run(
                command, cwd=self._root, input=text, capture_output=True, text=True, timeout=_TIMEOUT, check=False
            )
        except FileNotFoundError:
            raise AnsibleActionFail(f"sops: there is no program {self._sops}. Install SOPS 3.9 or newer.") from None
        except subprocess.TimeoutExpired:
            raise AnsibleActionFail(f"sops: no answer after {_TIMEOUT} s.") from None
        if done.returncode:
            raise AnsibleActionFail(f"sops: {done.stderr.strip()}")
        return done.stdout

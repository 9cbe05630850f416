# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tenant files for hand-made namespaces; see the module of the same name."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._import import files, verify
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.cluster import read_cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.convert import (
    Imported,
    Options,
    convert,
    existing,
    incomplete,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.facts import Object
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.grouping import Grouping
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.manifests import read_folder
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import Folder
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.reading import Unreadable, read_text
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import YamlError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import load as load_yaml
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import imported as report
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import check_known, way
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "clusters": {"type": "list", "elements": "str", "default": []},
    "manifests": {"type": "path"},
    "namespaces": {"type": "list", "elements": "str", "default": []},
    "selector": {"type": "str", "default": ""},
    "mapping": {"type": "raw"},
    "group_labels": {
        "type": "dict",
        "options": {
            "tenant": {"type": "str"},
            "project": {"type": "str"},
            "environment": {"type": "str"},
        },
    },
    "name_pattern": {"type": "str", "default": ""},
    "default_tenant": {"type": "str", "default": ""},
    "owner_cluster_roles": {"type": "list", "elements": "str", "default": ["tenant-admin", "admin"]},
    "path": {"type": "path"},
    "overwrite": {"type": "bool", "default": False},
    "write_invalid": {"type": "bool", "default": False},
    "report": {"type": "str", "choices": ["none", "summary"], "default": "none"},
}


class ActionModule(FleetAction):
    """Runs on the controller; only reads from clusters."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.arguments(SPEC)
        try:
            result = self._import(arguments, variables)
        except ModelError as error:
            raise AnsibleActionFail(str(error)) from None
        except OSError as error:
            raise AnsibleActionFail(f"{error.filename}: {error.strerror}.") from None
        if arguments["report"] == "summary":
            self.say(report.summary(result))
        return result

    def _import(self, arguments: Mapping[str, t.Any], variables: Mapping[str, t.Any]) -> dict[str, t.Any]:
        fleet = self.fleet(arguments, variables)
        source, folder = self._source(arguments, variables)
        names = arguments["clusters"] or [str(variables.get("inventory_hostname"))]
        check_known("clusters", "cluster", names, fleet.clusters)
        into = _inventory(arguments, folder)
        options = _options(arguments)
        objects, unreadable, requests = _read(arguments, names, fleet)
        # placements of other tenants do not matter here, and placing them anew could not
        imported = convert(objects, fleet, options, unreadable)
        blocked = existing(imported, fleet, overwrite=arguments["overwrite"])
        fresh = [name for name in imported.tenants if name not in blocked]
        refused = verify.check(imported, fresh, source, fleet.today)
        if arguments["write_invalid"]:
            refused = set()
        missing = incomplete(imported, fleet.settings)
        return self._write(imported, into, blocked, refused, missing, names, requests, arguments)

    def _write(
        self,
        imported: Imported,
        into: Path,
        blocked: set[str],
        refused: set[str],
        missing: Mapping[str, list[str]],
        clusters: list[str],
        requests: dict[str, int],
        arguments: Mapping[str, t.Any],
    ) -> dict[str, t.Any]:
        check = bool(self._task.check_mode)
        rows, diff = [], []
        for name, tenant in imported.tenants.items():
            path = files.path_of(into, name)
            # an inventory may keep its tenants elsewhere, or hold this file without loading it
            before = _text(path, "path") if path.exists() else ""
            origin = "the cluster" + ("s " if len(clusters) > 1 else " ") + ", ".join(clusters)
            text = files.text(tenant, origin, missing[name])
            if name in blocked:
                action, why = "kept", "the inventory has this tenant already"
            elif name in refused:
                action, why = "refused", "the inventory would have errors"
            elif before == text:
                action, why = "unchanged", ""
            elif before and not arguments["overwrite"]:
                action, why = "kept", f"{path} is there already"
            else:
                action, why = "overwritten" if before else "created", ""
                diff.append({"before_header": str(path), "after_header": str(path), "before": before, "after": text})
                if not check:
                    files.write(path, text)
            row = {"tenant": name, "path": str(path), "action": action, "why": why}
            rows.append({**row, "held_back": files.held_back(text)})
        written = {row["tenant"] for row in rows if row["action"] in ("created", "overwritten", "unchanged")}
        findings = imported.findings.sorted
        result: dict[str, t.Any] = {
            "changed": bool(diff),
            "check": check,
            "files": rows,
            "tenants": {name: tenant for name, tenant in imported.tenants.items() if name in written},
            "additions": {name: tenant for name, tenant in imported.tenants.items() if name not in written},
            "environments": [
                {
                    "key": draft.identity.key,
                    "tenant": draft.identity.tenant,
                    "namespace": draft.identity.namespace,
                    "clusters": draft.clusters,
                }
                for draft in sorted(imported.drafts, key=lambda each: each.identity)
            ],
            "findings": [finding.as_dict() for finding in findings],
            "incomplete": {name: keys for name, keys in missing.items() if name in written and keys},
            "superseded": imported.superseded,
            "left_out": imported.left_out,
            "requests": requests,
        }
        if self._task.diff and diff:
            result["diff"] = diff
        return result


def _inventory(arguments: Mapping[str, t.Any], folder: Folder) -> Path:
    given = arguments["path"] or arguments["inventory"]
    if given:
        return Path(given).absolute()
    if len(folder.roots) == 1:
        return folder.roots[0].absolute()
    raise ModelError("path: this run has no inventory folder, or several. Say to which one to write.")


def _options(arguments: Mapping[str, t.Any]) -> Options:
    grouping = Grouping(
        mapping=_mapping(arguments["mapping"]),
        labels={part: key for part, key in (arguments["group_labels"] or {}).items() if key},
        pattern=arguments["name_pattern"],
        default_tenant=arguments["default_tenant"],
    )
    return Options(
        grouping=grouping,
        names=arguments["namespaces"],
        selector=arguments["selector"],
        owner_roles=arguments["owner_cluster_roles"],
        again=arguments["overwrite"],
    )


def _text(path: Path, option: str) -> str:
    """@raises ModelError: it cannot be read as text."""
    try:
        return read_text(path)
    except Unreadable as error:
        raise ModelError(f"{option}: {path}: {error} {error.fix}") from None


def _mapping(given: t.Any) -> Mapping[str, str]:
    if given is None:
        return {}
    if isinstance(given, str):
        path = Path(given).expanduser()
        text = _text(path, "mapping")
        try:
            given = load_yaml(text)
        except YamlError as error:
            raise ModelError(f"mapping: {path}:{error.line}: {error}") from None
    if not isinstance(given, Mapping):
        raise ModelError(
            "mapping: write namespaces with tenant/project/environment each, or give a file that holds that."
        )
    return given


def _read(
    arguments: Mapping[str, t.Any], names: list[str], fleet: Fleet
) -> tuple[dict[str, list[Object]], dict[str, dict[str, str]], dict[str, int]]:
    """The objects of every cluster, files that cannot be read, and how many requests it took."""
    if arguments["manifests"]:
        if len(names) > 1:
            raise ModelError("manifests: a folder holds one cluster. Name one in clusters.")
        found = read_folder(Path(arguments["manifests"]).absolute())
        return {names[0]: found.objects}, {names[0]: found.unreadable}, {}
    objects, requests = {}, dict[str, int]()
    for name in names:
        try:
            with Session.open(way(arguments, fleet.clusters[name].get("kubeconfig"))) as session:
                objects[name] = read_cluster(session)
                for verb, count in session.requests.items():
                    requests[verb] = requests.get(verb, 0) + count
        except LiveError as error:
            raise AnsibleActionFail(f"{name}: {error}") from None
    return objects, {}, requests

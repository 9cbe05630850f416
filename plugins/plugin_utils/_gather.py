# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what Ansible knows to the model's source.

Tenant text is never templated: project teams write it, and a template would run on the controller. Settings and cluster
variables belong to operators and may be templates; they are templated only while the tenant files hold nothing else
than tenants, and without sight of the tenants, so that no template reaches their text.

Private to the collection.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from ansible import constants
from ansible.parsing import vault
from ansible.template import Templar

from ansible_collections.k8s.self_provisioning.plugins.module_utils._collector import without_gc
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory import checks, encrypted
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import (
    CLUSTERS,
    Folder,
    fill,
    find_machines,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.machines import (
    ROLES,
    Inventory,
    group_of,
    is_connection,
    is_of_machine,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError, Problems, Where
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.names import TENANT_PREFIX
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema import CLUSTER, FLEET

_KNOWN = frozenset((*FLEET, *CLUSTER))
_LONGEST_REASON = 300


def _encrypted_type() -> type:
    found = getattr(vault, "EncryptedString", None)
    if found is None:  # before ansible-core 2.19
        from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode

        found = AnsibleVaultEncryptedUnicode
    return t.cast(type, found)


_ENCRYPTED = _encrypted_type()


class _ClosedError(Exception):
    """A value is encrypted."""


def _refuse(value: t.Any) -> t.Any:
    if isinstance(value, _ENCRYPTED):
        raise _ClosedError
    return str(value)


def _was_encrypted(value: t.Any) -> bool:
    """Whether a template gave a decrypted value as it was; ansible-core 2.19 and later can tell."""
    helper = getattr(vault, "VaultHelper", None)
    return helper is not None and helper.get_ciphertext(value, with_tags=False) is not None


def _is_literal(text: str) -> bool:
    """Whether its author marked the text C(!unsafe)."""
    if hasattr(text, "__UNSAFE__"):
        return True
    try:
        from ansible.template import is_trusted_as_template
    except ImportError:  # before ansible-core 2.19
        return False
    return not is_trusted_as_template(text)


def _is_special(value: t.Any) -> bool:
    """Whether anything in I(value) would be templated, or is encrypted."""
    if isinstance(value, str):
        return checks.is_template(value)
    if isinstance(value, Mapping):
        return any(_is_special(item) for pair in value.items() for item in pair)
    if isinstance(value, (list, tuple)):
        return any(_is_special(item) for item in value)
    return isinstance(value, _ENCRYPTED)


class _Variables:
    """Makes plain values of the variables of one host."""

    def __init__(self, raw: Mapping[str, t.Any], loader: t.Any, problems: Problems, *, run: bool) -> None:
        """@param run: whether templates are run."""
        self._raw, self._loader, self._problems = raw, loader, problems
        self._untemplated = checks.Untemplated(problems, "none is run while a tenant file has errors")
        self._templar: t.Any = None
        self._run = run

    def finished(self, key: str, value: t.Any, host: str = "") -> t.Any:
        """The value of a setting or cluster variable."""
        where = Where(key, host=host)
        if key not in _KNOWN:
            return plain(value, other=lambda item: checks.PLACEHOLDER if isinstance(item, _ENCRYPTED) else str(item))
        return self._walk(value, where) if _is_special(value) else plain(value)

    def of_machine(self, key: str, value: t.Any, host: str) -> t.Any:
        """The value of a variable of a machine. How it is reached may be encrypted: Kubespray needs it in the clear."""
        where = Where(key, host=host)
        if not _is_special(value):
            return plain(value)
        if not is_connection(key):
            return self._walk(value, where)
        if isinstance(value, _ENCRYPTED):
            return str(value)
        if not self._run:
            return self._untemplated(plain(value), where)
        try:
            return plain(self._template(value))
        except Exception as error:  # what an operator's template calls may raise anything
            self._problems.error("template", where, f"it cannot be templated: {error}.", "Correct the template.")
            return checks.PLACEHOLDER

    def _walk(self, value: t.Any, where: Where) -> t.Any:
        if isinstance(value, _ENCRYPTED):
            if where.variable in checks.NEVER_RENDERED:
                return str(value)
            checks.vaulted(where, self._problems)
            return checks.PLACEHOLDER
        if isinstance(value, str):
            return self._text(value, where) if checks.is_template(value) else plain(value)
        if isinstance(value, Mapping):
            for key in value:
                if isinstance(key, str) and checks.is_template(key):
                    self._left(key, where / str.__str__(key))
            return {plain(key): self._walk(item, where / _key(key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._walk(item, where / index) for index, item in enumerate(value)]
        return plain(value)

    def _text(self, text: str, where: Where) -> t.Any:
        if _is_literal(text):
            return plain(text)
        if not self._run:
            return self._untemplated(plain(text), where)
        try:
            given = self._template(text)
            value = plain(given)
        except Exception as error:  # what an operator's template calls may raise anything
            reason = " ".join(str(error).split())
            reason = reason[:_LONGEST_REASON] + ("..." if len(reason) > _LONGEST_REASON else "")
            self._problems.error(
                "template", where, f"it cannot be templated: {reason.rstrip('.')}.", "Correct the template."
            )
            return checks.PLACEHOLDER
        if _was_encrypted(given) and where.variable not in checks.NEVER_RENDERED:
            checks.vaulted(where, self._problems)
            return checks.PLACEHOLDER
        if _has_marks(value):
            self._left(text, where)
            return checks.PLACEHOLDER
        return value

    def _left(self, _text: str, where: Where) -> None:
        self._problems.error(
            "template",
            where,
            "a template is left in it after templating.",
            "Correct it; mark text that is meant to stay as it is with !unsafe.",
        )

    def _template(self, text: str) -> t.Any:
        if self._templar is None:
            seen = {key: value for key, value in self._raw.items() if not key.startswith(TENANT_PREFIX)}
            self._templar = Templar(loader=self._loader, variables=seen)
        return self._templar.template(text, fail_on_undefined=True)


def _key(key: t.Any) -> str | int:
    return str.__str__(key) if isinstance(key, str) else key if isinstance(key, int) else str(key)


def _has_marks(value: t.Any) -> bool:
    if isinstance(value, dict):
        return any(_has_marks(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return any(_has_marks(item) for item in value)
    return isinstance(value, str) and checks.is_template(value)


def _tenant(variable: str, value: t.Any, problems: Problems) -> t.Any:
    try:
        return plain(value, other=_refuse)
    except _ClosedError:
        return _opened(value, Where(variable), problems)


def _opened(value: t.Any, where: Where, problems: Problems) -> t.Any:
    if isinstance(value, _ENCRYPTED):
        checks.vaulted(where, problems)
        return checks.PLACEHOLDER
    if isinstance(value, Mapping):
        return {plain(key): _opened(item, where / _key(key), problems) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_opened(item, where / index, problems) for index, item in enumerate(value)]
    return plain(value)


def gather(hostvars: t.Any, clusters: Iterable[str], variables: Mapping[str, t.Any]) -> tuple[Source, Folder]:
    """The model's source, and the folder that holds it, with every finding of reading and templating.

    @param hostvars: Ansible's C(hostvars).
    @param clusters: the members of the group C(clusters).
    @param variables: those of any host, for the inventory's folders.
    """
    raw = {host: hostvars.raw_get(host) if hasattr(hostvars, "raw_get") else hostvars[host] for host in clusters}
    known = folder_of(variables)
    folder = dataclasses.replace(known, problems=Problems())
    for problem in known.problems:
        folder.problems.add(problem)
    checks.agreement(raw, folder.host_defined, folder.problems)
    told = {problem.where.variable for problem in folder.problems if problem.code == "vaulted"}
    found = Problems()
    loader, run = getattr(hostvars, "_loader", None), not folder.hostile
    own = {host: _Variables(values, loader, found, run=run) for host, values in raw.items()}
    machines = {
        host: {key: own[host].finished(key, value, host) for key, value in values.items() if key.startswith("cluster_")}
        for host, values in raw.items()
    }
    settings: dict[str, t.Any] = {}
    tenants: dict[str, t.Any] = {}
    for host, values in raw.items():
        for key, value in values.items():
            if key.startswith("fleet_") and key not in settings:
                settings[key] = own[host].finished(key, value)
            elif key.startswith(TENANT_PREFIX) and key not in tenants:
                tenants[key] = _tenant(key, value, found)
    for problem in found:
        if problem.code != "vaulted" or problem.where.variable not in told:
            folder.problems.add(problem)
    return Source(settings, tenants, machines, folder.unreadable), folder


def is_unmeasured(variables: Iterable[str]) -> bool:
    """Whether a cluster with these variables declares no capacity, and can be asked for it."""
    return "cluster_capacity" not in variables and "cluster_kubeconfig" in variables


def unmeasured(task_vars: Mapping[str, t.Any]) -> list[str]:
    """The clusters of a run that have to be measured. Nothing is templated, so that it costs little."""
    hostvars, groups = task_vars.get("hostvars"), task_vars.get("groups") or {}
    if hostvars is None:
        return []
    # what a file defines need not be asked of Ansible, which takes long for each host
    folder = folder_of(task_vars)
    asked = [
        str(host)
        for host in groups.get(CLUSTERS, ())
        if "cluster_capacity" not in folder.values and "cluster_capacity" not in folder.host_values.get(host, {})
    ]
    return [host for host in asked if is_unmeasured(hostvars.raw_get(host))]


def machines_of(task_vars: Mapping[str, t.Any], folder: Folder) -> Inventory:
    """The machines of all clusters: the groups, and those variables of the machines that concern us."""
    groups = {str(name): [str(h) for h in members] for name, members in (task_vars.get("groups") or {}).items()}
    hostvars = task_vars["hostvars"]
    clusters = [group_of(host) for host in groups.get(CLUSTERS, ())]
    machines = dict.fromkeys(h for name in (*ROLES, *clusters) for h in groups.get(name, ()))
    loader = getattr(hostvars, "_loader", None)
    variables = {}
    for host in machines:
        raw = hostvars.raw_get(host) if hasattr(hostvars, "raw_get") else hostvars[host]
        own = _Variables(raw, loader, folder.problems, run=not folder.hostile)
        variables[host] = {
            str(key): own.of_machine(str(key), value, host) for key, value in raw.items() if is_of_machine(str(key))
        }
    of_host = {h: [g for g in groups if g not in ("all", "ungrouped") and h in groups[g]] for h in machines}
    find_machines(folder, of_host)
    return Inventory(groups, variables)


def source_of(hostvars: t.Any, clusters: Iterable[str]) -> Source:
    """The model's source.

    @raises ModelError: reading or templating found errors.
    """
    names = list(clusters)
    first = hostvars.raw_get(names[0]) if hasattr(hostvars, "raw_get") else hostvars[names[0]]
    source, folder = gather(hostvars, names, first)
    errors = folder.problems.errors
    if errors:
        raise ModelError("the inventory has errors:\n" + "\n".join(e.render(folder.locate) for e in errors))
    return source


def folder_of(variables: Mapping[str, t.Any]) -> Folder:
    """The inventory folders of the run, read strictly, to find lines and what Ansible overlooks. Empty under AWX.

    Read once: the lookup C(fleet_hosts) runs in the main process, from which the workers inherit the result.
    """
    roots = []
    for name in variables.get("ansible_inventory_sources") or ():
        path = Path(str(name))
        root = path if path.is_dir() else path.parent
        if path.exists() and root not in roots:
            roots.append(root)
    beside = Path(str(variables.get("playbook_dir") or "/"))
    if beside not in roots and any((beside / name).is_dir() for name in ("group_vars", "host_vars")):
        roots.append(beside)
    groups = variables.get("groups") or {}
    clusters = [str(host) for host in groups.get(CLUSTERS, ())]
    own = {host: [str(g) for g in groups if g != "all" and host in groups[g]] for host in clusters}
    return _read(tuple(roots), tuple((host, tuple(own[host])) for host in clusters))


@lru_cache(maxsize=1)
def _read(roots: tuple[Path, ...], groups_of: tuple[tuple[str, tuple[str, ...]], ...]) -> Folder:
    folder = Folder(
        roots,
        confined=False,
        decrypted=encrypted.is_decrypted(constants.VARIABLE_PLUGINS_ENABLED),
        suffixes=tuple(constants.YAML_FILENAME_EXTENSIONS),
    )
    with without_gc():
        fill(folder, [host for host, _groups in groups_of], dict(groups_of))
    return folder

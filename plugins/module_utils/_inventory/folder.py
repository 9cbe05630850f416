# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory folder: its variable files, what they define, and where."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .._model.entities import Source
from .._model.errors import ModelError, Problems, Where, nearest
from .._model.names import TENANT_PREFIX
from .yaml_data import Lines, YamlError, load

_SUFFIXES = (".yml", ".yaml", ".json", "")
CLUSTERS = "clusters"


@dataclass
class Folder:
    """The variable files of one or more inventory folders, read strictly.

    I(defined) maps a variable of all hosts to the files that define it, I(by_host) and I(by_group) the same per name.
    """

    roots: tuple[Path, ...]
    values: dict[str, t.Any] = field(default_factory=dict)
    defined: dict[str, list[Path]] = field(default_factory=dict)
    host_values: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    host_defined: dict[tuple[str, str], Path] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    broken: dict[str, tuple[Path, int]] = field(default_factory=dict)
    _lines: Lines = field(default_factory=Lines)

    def locate(self, where: Where) -> tuple[str, int]:
        """The file and line of a place; an empty name when no file of the inventory defines it."""
        if where.variable in self.broken:
            path, line = self.broken[where.variable]
            return _shown(path), line
        if where.host:
            own = self.host_defined.get((where.host, where.variable))
            if own is None:
                return self._host_file(where.host)
            return _shown(own), self._lines.line(own, (where.variable, *where.keys))
        if not self.defined.get(where.variable):
            return "", 0
        last = self.defined[where.variable][-1]
        return _shown(last), self._lines.line(last, (where.variable, *where.keys))

    def _host_file(self, host: str) -> tuple[str, int]:
        for (name, _variable), path in self.host_defined.items():
            if name == host:
                return _shown(path), 0
        return "", 0

    def report(self, path: Path, line: int, what: str, fix: str = "", code: str = "bad-yaml") -> None:
        """A finding about a file rather than a variable."""
        name = path.name
        self.broken[name] = (path, line)
        self.problems.error(code, Where(name), what, fix)


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _files(base: Path) -> Iterator[Path]:
    """The files that Ansible reads for I(base) (a file with a suffix, or a folder), in Ansible's order."""
    for suffix in _SUFFIXES:
        file = base.with_name(base.name + suffix)
        if suffix and file.is_file():
            yield file
    if base.is_file():
        yield base
    elif base.is_dir():
        for file in sorted(base.rglob("*")):
            hidden = any(part.startswith(".") or part.endswith("~") for part in file.relative_to(base).parts)
            if file.is_file() and not hidden and file.suffix in _SUFFIXES:
                yield file


def fill(folder: Folder, hosts: Iterable[str] = (), groups: Mapping[str, Iterable[str]] | None = None) -> None:
    """Reads C(group_vars/all), the groups' and the hosts' variables of the folder's roots.

    @param hosts: whose C(host_vars) to read.
    @param groups: for each host, its groups from the outside in.
    """
    for root in folder.roots:
        for file in _files(root / "group_vars" / "all"):
            for key, value in _read_file(file, folder).items():
                folder.values[key] = value
                folder.defined.setdefault(key, []).append(file)
    for host in hosts:
        own = folder.host_values.setdefault(host, {})
        bases = [f"group_vars/{group}" for group in (groups or {}).get(host, ())] + [f"host_vars/{host}"]
        for root in folder.roots:
            for base in bases:
                for file in _files(root / base):
                    for key, value in _read_file(file, folder).items():
                        own[key] = value
                        folder.host_defined[(host, key)] = file
    _check_tenant_files(folder)


def _read_file(file: Path, folder: Folder) -> Mapping[str, t.Any]:
    try:
        value = load(file.read_text(encoding="utf-8"))
    except YamlError as error:
        folder.report(file, error.line, str(error), "Mend the file.")
        return {}
    except UnicodeDecodeError:
        folder.report(file, 0, "it is not UTF-8 text.", "Save it as UTF-8.")
        return {}
    except OSError as error:
        folder.report(file, 0, f"it cannot be read: {error.strerror}.", "Check its permissions.")
        return {}
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        folder.report(file, 1, "it does not hold variables.", "Write a mapping of names and values.")
        return {}
    return value


def _check_tenant_files(folder: Folder) -> None:
    by_file: dict[Path, list[str]] = {}
    for variable, files in folder.defined.items():
        for file in files:
            if file.parent.name == "tenants":
                by_file.setdefault(file, []).append(variable)
        if len(files) > 1 and variable.startswith(TENANT_PREFIX):
            names = " and ".join(_shown(file) for file in files)
            folder.problems.error(
                "duplicate-id",
                Where(variable),
                f"the variable is defined in {names}; Ansible would keep only one.",
                "Keep one of them.",
            )
    for file, variables in sorted(by_file.items()):
        expected = TENANT_PREFIX + file.stem.replace("-", "_")
        for variable in variables:
            if variable.startswith(TENANT_PREFIX) or variable.startswith("_"):
                continue
            near = nearest(variable, [expected])
            folder.problems.error(
                "wrong-variable",
                Where(variable),
                "a tenant file defines one variable, tenant__<id>; this one is never read.",
                f"Did you mean {expected!r}?" if near else "Move it elsewhere.",
            )
        own = [v for v in variables if v.startswith(TENANT_PREFIX)]
        if len(own) > 1:
            folder.problems.error(
                "wrong-variable",
                Where(own[1]),
                f"the file defines {len(own)} tenants: {', '.join(own)}.",
                "Give every tenant a file of its own.",
            )


def read_source(root: Path) -> tuple[Source, Folder]:
    """A whole inventory folder as the model's source, without Ansible: nothing in it is templated or run.

    The groups are read from the folder's YAML inventory files; only hosts of the group C(clusters) matter.

    @raises ModelError: the folder does not exist.
    """
    if not root.is_dir():
        raise ModelError(
            f"the inventory folder {root} does not exist. Give the folder that holds hosts.yml and group_vars."
        )
    folder = Folder((root,))
    members, inline = _hosts(root, folder)
    clusters = sorted(members.get(CLUSTERS, ()))
    groups = {host: [g for g in sorted(members) if host in members[g] and g != "all"] for host in clusters}
    fill(folder, clusters, groups)
    settings = {k: v for k, v in folder.values.items() if k.startswith("fleet_")}
    tenants = {k: v for k, v in folder.values.items() if k.startswith(TENANT_PREFIX)}
    shared = {k: v for k, v in folder.values.items() if k.startswith("cluster_")}
    machines = {host: {**shared, **inline.get(host, {}), **folder.host_values.get(host, {})} for host in clusters}
    unreadable = tuple(sorted(path.stem for path, _line in folder.broken.values() if path.parent.name == "tenants"))
    return Source(settings, tenants, machines, unreadable), folder


def _hosts(root: Path, folder: Folder) -> tuple[dict[str, set[str]], dict[str, dict[str, t.Any]]]:
    """Members of every group (with those of its children), and the variables written at hosts."""
    direct: dict[str, set[str]] = {}
    children: dict[str, set[str]] = {}
    inline: dict[str, dict[str, t.Any]] = {}

    def group(name: str, body: t.Any) -> None:
        if not isinstance(body, dict):
            return
        for host, values in (body.get("hosts") or {}).items():
            direct.setdefault(name, set()).add(host)
            inline.setdefault(host, {}).update(values or {})
        for child, inner in (body.get("children") or {}).items():
            children.setdefault(name, set()).add(child)
            group(child, inner)

    for file in sorted(root.glob("*.y*ml")):
        for name, body in _read_file(file, folder).items():
            group(name, body)

    def members(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
        below = (members(child, seen | {name}) for child in children.get(name, ()) if child not in seen)
        return direct.get(name, set()).union(*below)

    return {name: members(name) for name in {*direct, *children}}, inline


def read_machines(folder: Folder, groups: Mapping[str, Iterable[str]]) -> None:
    """Looks up where the variables of machines are defined; their values come from Ansible.

    @param groups: for each machine, its groups from the outside in.
    """
    read: dict[Path, Mapping[str, t.Any]] = {}
    for host, names in groups.items():
        bases = [f"group_vars/{group}" for group in names] + [f"host_vars/{host}"]
        for root in folder.roots:
            for base in bases:
                for file in _files(root / base):
                    if file not in read:
                        read[file] = _read_file(file, folder)
                    for key in read[file]:
                        folder.host_defined[(host, key)] = file

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory folder: its variable files, what they define, and where."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .._model.entities import Source
from .._model.errors import ERROR, WARNING, Key, ModelError, Problem, Problems, Where, visible
from .._model.names import TENANT_PREFIX
from . import checks, encrypted, hosts
from .hosts import CLUSTERS, Groups
from .reading import SUFFIXES, Finder, Unreadable, is_tenant_file, outside, read_text, vaulted
from .yaml_data import Document, Lines, YamlError, read, unmarked

__all__ = ["CLUSTERS", "Folder", "fill", "find_machines", "read_source", "source_in"]

_OURS = ("fleet_", "cluster_", TENANT_PREFIX)
_SHARED = ("fleet_", TENANT_PREFIX)
#: The same in a text that is no YAML.
_LOOKS_OURS = re.compile(r"(?:^|[{,])\s*[\"']?(?:fleet_|cluster_|tenant__)\w*[\"']?\s*:", re.MULTILINE)
_Place = tuple[Path, tuple[Key, ...]]


@dataclass
class Folder:
    """The variable files of one or more inventory folders, read strictly.

    I(values) are those of all hosts, I(host_values) what a host has besides. I(defined) maps a variable to the files
    that define it, I(host_defined) one of a host to its place. I(broken) are the files that could not be read.

    I(decrypted) says whether what SOPS has encrypted is decrypted by whoever uses the variables.

    I(confined) is for a folder that somebody else wrote: nothing outside it is read. What Ansible itself has loaded is
    read wherever it lies.
    """

    roots: tuple[Path, ...]
    confined: bool = True
    decrypted: bool = True
    suffixes: tuple[str, ...] = SUFFIXES
    values: dict[str, t.Any] = field(default_factory=dict)
    defined: dict[str, list[Path]] = field(default_factory=dict)
    host_values: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    host_defined: dict[tuple[str, str], _Place] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    broken: set[Path] = field(default_factory=set)
    read: dict[Path, Mapping[str, t.Any]] = field(default_factory=dict)
    _lines: Lines = field(default_factory=lambda: Lines(read_text))

    @property
    def hostile(self) -> bool:
        """Whether a tenant file has an error, so that it may define anything, and no template is safe to run."""
        return any(e.where.file and is_tenant_file(Path(e.where.file), self.roots) for e in self.problems.errors)

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The tenants whose files could not be read."""
        return tuple(sorted(path.stem for path in self.broken if is_tenant_file(path, self.roots)))

    def locate(self, where: Where) -> tuple[str, int]:
        """The file and line of a place; an empty name when no file of the inventory defines it."""
        if where.file:
            path = Path(where.file)
            if where.line or where.variable == path.name:
                return _shown(path), where.line
            return _shown(path), self._lines.line(path, (where.variable, *where.keys))
        if where.host and (where.host, where.variable) in self.host_defined:
            path, keys = self.host_defined[(where.host, where.variable)]
            return _shown(path), self._lines.line(path, (*keys, *where.keys))
        if self.defined.get(where.variable):
            last = self.defined[where.variable][-1]
            return _shown(last), self._lines.line(last, (where.variable, *where.keys))
        return self._host_file(where.host) if where.host else ("", 0)

    def _host_file(self, host: str) -> tuple[str, int]:
        files = [path for (name, _variable), (path, _keys) in self.host_defined.items() if name == host]
        return (_shown(files[-1]), 0) if files else ("", 0)

    def error(self, code: str, where: Where, what: str, fix: str) -> None:
        self.problems.error(code, where, what, fix)

    def warn(self, code: str, where: Where, what: str, fix: str) -> None:
        self.problems.warn(code, where, what, fix)

    def report(
        self, path: Path, line: int, what: str, fix: str = "", code: str = "bad-yaml", severity: str = ERROR
    ) -> None:
        """A finding about a file rather than a variable: it cannot be read."""
        if severity == ERROR:
            self.broken.add(path)
        self.problems.add(Problem(code, Where(path.name, file=str(path), line=line), what, fix, severity))

    def precede(self, problems: Problems) -> None:
        """Puts the findings of reading before others, and takes out what was found of the same place again."""
        own = {(p.where.host, p.where.text) for p in self.problems}
        rest = [p for p in problems.items if (p.where.host, p.where.text) not in own]
        problems.items[:] = [*self.problems.items, *rest]

    def text(self, file: Path) -> str | None:
        """The text of a file; None when it is reported."""
        if self.confined and outside(file, self.roots):
            self.report(file, 0, "it leads out of the inventory folder.", "Put the file itself there.", "outside")
            return None
        try:
            return read_text(file)
        except Unreadable as error:
            ours = is_tenant_file(file, self.roots) or _LOOKS_OURS.search(error.data.decode("latin-1"))
            self.report(file, 0, str(error), error.fix, severity=ERROR if ours or self.confined else WARNING)
            return None

    def values_of(self, file: Path) -> Mapping[str, t.Any]:
        """The variables of a file, read once."""
        if file not in self.read:
            self.read[file] = self._load(file)
        return self.read[file]

    def _load(self, file: Path) -> Mapping[str, t.Any]:
        text = self.text(file)
        if text is None:
            return {}
        tenant = is_tenant_file(file, self.roots)
        if vaulted(text):
            if tenant:
                self.report(file, 1, *checks.VAULTED_FILE, code="vaulted")
            return {}
        try:
            document = read(text)
        except YamlError as error:
            self.report(file, error.line, str(error), "Mend the file.")
            return {}
        value = document.value
        if value is None or value == {}:
            if tenant:
                self.report(file, 0, *checks.EMPTY_FILE, code="empty")
            return {}
        if not isinstance(value, dict):
            self.report(file, 1, "it does not hold variables.", "Write a mapping of names and values.")
            return {}
        if encrypted.is_encrypted(value):
            return self._opened(file, value, tenant)
        return self._checked(file, document, tenant)

    def _opened(self, file: Path, value: Mapping[str, t.Any], tenant: bool) -> Mapping[str, t.Any]:
        """What SOPS left in the clear; what it has encrypted is Ansible's, and never ours."""
        if tenant:
            self.report(file, 1, *encrypted.TENANT_FILE, code="vaulted")
            return {}
        if not encrypted.is_named(file):
            self.report(file, 1, *encrypted.WRONG_NAME, code="encrypted")
        elif not self.decrypted:
            self.report(file, 1, *encrypted.NOT_DECRYPTED, code="encrypted")
        closed = {key for key, item in value.items() if encrypted.has_cipher(item)}
        for key in sorted(closed):
            if key.startswith(_OURS):
                checks.vaulted(Where(key, file=str(file)), self.problems)
        return {key: item for key, item in value.items() if key.startswith(_OURS) and key not in closed}

    def _checked(self, file: Path, document: Document, tenant: bool) -> Mapping[str, t.Any]:
        value: dict[str, t.Any] = document.value
        ours = tenant or any(isinstance(key, str) and key.startswith(_OURS) for key in value)
        add = self.problems.error if ours else self.problems.warn
        for error in document.duplicates:
            at = Where(file.name, file=str(file), line=error.line)
            add("duplicate-key", at, str(error), "Keep one of them.")
        odd = [key for key in value if not isinstance(key, str)]
        if odd:
            add("bad-key", Where(file.name, file=str(file)), f"the key {odd[0]!r} is not a text.", "Put it in quotes.")
        if document.marked:
            checks.vaulted_values(file, value, self.problems)
        return {
            key: unmarked(item, checks.placeholder) if document.marked and key.startswith(TENANT_PREFIX) else item
            for key, item in value.items()
            if isinstance(key, str)
        }


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def fill(
    folder: Folder,
    clusters: Iterable[str] = (),
    groups: Mapping[str, Iterable[str]] | None = None,
    inline: Groups | None = None,
) -> None:
    """Reads C(group_vars/all), the groups' and the hosts' variables of the folder's roots, and checks the files.

    @param clusters: whose C(host_vars) to read.
    @param groups: for each host, its groups from the outside in.
    @param inline: what the inventory files themselves say.
    """

    def tell(path: Path, what: str, fix: str) -> None:
        severity = ERROR if folder.confined or is_tenant_file(path, folder.roots) else WARNING
        folder.report(path, 0, what, fix, "unusable-file", severity)

    finder = Finder(folder.roots, folder.suffixes, tell, confined=folder.confined)
    found: dict[str, list[Path]] = {}

    def files(subfolder: str, name: str) -> list[Path]:
        base = f"{subfolder}/{name}"
        if base not in found:
            usable = hosts.is_name(name) or (not folder.confined and "/" not in name)
            found[base] = [f for root in folder.roots for f in finder.files(root / base)] if usable else []
            if not usable:
                folder.error(
                    "bad-name",
                    Where(name),
                    "it is not a usable name of a host or group.",
                    "Use letters, digits, dashes, underscores and single dots.",
                )
        return found[base]

    for file in files("group_vars", "all"):
        for key, value in folder.values_of(file).items():
            folder.values[key] = value
            folder.defined.setdefault(key, []).append(file)

    def take(host: str, paths: Iterable[Path]) -> None:
        own = folder.host_values[host]
        for file in paths:
            for key, value in folder.values_of(file).items():
                own[key] = value
                folder.host_defined[(host, key)] = file, (key,)
                if key.startswith(_SHARED) and file not in folder.defined.setdefault(key, []):
                    folder.defined[key].append(file)

    for host in clusters:
        own = folder.host_values.setdefault(host, {})
        for group in (groups or {}).get(host, ()):
            take(host, files("group_vars", group))
        for key, value in (inline.host_values.get(host, {}) if inline else {}).items():
            own[key] = value
            folder.host_defined.pop((host, key), None)
        take(host, files("host_vars", host))
    checks.tenant_files(folder.read, folder.defined, folder.roots, folder.problems, _shown)


def find_machines(folder: Folder, groups: Mapping[str, Iterable[str]]) -> None:
    """Looks up where the variables of machines are defined; their values come from Ansible.

    @param groups: for each machine, its groups from the outside in.
    """
    finder = Finder(folder.roots, folder.suffixes, lambda *_unused: None, confined=folder.confined)
    for host, names in groups.items():
        for base in (*(f"group_vars/{name}" for name in names), f"host_vars/{host}"):
            for file in [f for root in folder.roots for f in finder.files(root / base)]:
                for key in folder.values_of(file):
                    folder.host_defined[(host, key)] = file, (key,)


def read_source(root: Path) -> tuple[Source, Folder]:
    """A whole inventory folder as the model's source, without Ansible: nothing in it is templated or run.

    The groups are read from the folder's YAML inventory files; only hosts of the group C(clusters) matter.

    @raises ModelError: the folder does not exist.
    """
    if not root.is_dir():
        raise ModelError(
            f"the inventory folder {visible(str(root))} does not exist. "
            "Give the folder that holds hosts.yml and group_vars."
        )
    folder = Folder((root,))
    inline = hosts.read(folder.roots, folder)
    clusters = sorted(inline.members(CLUSTERS))
    order = [(name, inline.members(name)) for name in inline.order()]
    groups = {host: [name for name, members in order if host in members] for host in clusters}
    fill(folder, clusters, groups, inline)
    if not clusters:
        folder.error("no-clusters", Where(CLUSTERS), *checks.NO_CLUSTERS)
    return source_in(folder, clusters, groups, inline), folder


def source_in(
    folder: Folder, clusters: Iterable[str], groups: Mapping[str, Iterable[str]], inline: Groups | None = None
) -> Source:
    """The model's source from a folder that has been read. What would be templated stays as it is written."""
    inline = inline or Groups()
    whole = {}
    for host in clusters:
        values = dict(inline.group_values.get("all", {}))
        for group in groups.get(host, ()):
            values.update(inline.group_values.get(group, {}))
        whole[host] = {**values, **folder.values, **folder.host_values.get(host, {})}
    checks.agreement(whole, folder.host_defined, folder.problems)
    base: dict[str, t.Any] = {}
    for values in reversed([*whole.values()]):
        base.update(values)
    base = base or {**inline.group_values.get("all", {}), **folder.values}
    untouched = checks.Untemplated(folder.problems)
    settings = {k: untouched(v, Where(k)) for k, v in base.items() if k.startswith("fleet_")}
    tenants = {k: v for k, v in base.items() if k.startswith(TENANT_PREFIX)}
    machines = {
        host: {k: untouched(v, Where(k, host=host)) for k, v in values.items() if k.startswith("cluster_")}
        for host, values in whole.items()
    }
    return Source(settings, tenants, machines, folder.unreadable)

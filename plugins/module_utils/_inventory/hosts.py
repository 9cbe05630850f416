# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and hosts of an inventory folder, as ansible-core's YAML inventory plugin reads them.

Other forms that Ansible accepts are named, not read: a script would have to be run.
"""

from __future__ import annotations

import os
import re
import string
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .._model.errors import Where, show
from .reading import SUFFIXES

CLUSTERS = "clusters"
_ALL = "all"
_IGNORED_FOLDERS = frozenset(("host_vars", "group_vars", "vars_plugins"))
#: ansible-core's defaults for what it does not take for an inventory.
_IGNORED_ENDS = (".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry")
_SECTION = re.compile(r"^\s*\[[^\]]+\]\s*$", re.MULTILINE)
_RANGE = re.compile(r"\[([^\[\]]*)\]")
_MOST_HOSTS = 10_000
_MOST_FOLDERS = 100
#: What may become part of a path. Ansible would take anything.
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]|\.(?!\.)){0,252}\Z")
_OTHER_FORM = "Ansible may read it; this check reads YAML. Write it with: ansible-inventory --list --yaml --export."


def is_name(text: object) -> bool:
    """Whether I(text) can be the name of a host or group of ours."""
    return isinstance(text, str) and bool(_NAME.match(text)) and not text.endswith(".")


class Reader(t.Protocol):
    """What reads files and takes findings."""

    def values_of(self, file: Path) -> Mapping[str, t.Any]: ...

    def text(self, file: Path) -> str | None: ...

    def error(self, code: str, where: Where, what: str, fix: str) -> None: ...

    def warn(self, code: str, where: Where, what: str, fix: str) -> None: ...


@dataclass
class Groups:
    """Groups, their members, and the variables written at both."""

    direct: dict[str, set[str]] = field(default_factory=dict)
    children: dict[str, set[str]] = field(default_factory=dict)
    group_values: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    host_values: dict[str, dict[str, t.Any]] = field(default_factory=dict)

    def members(self, name: str) -> set[str]:
        """The hosts of a group and of the groups below it."""
        found, seen, queue = set[str](), {name}, [name]
        while queue:
            group = queue.pop()
            found |= self.direct.get(group, set())
            fresh = self.children.get(group, set()) - seen
            seen |= fresh
            queue += fresh
        return found

    def order(self) -> list[str]:
        """The groups but C(all), in the order in which their variables override each other."""
        names = (set(self.direct) | set(self.children) | set().union(*self.children.values())) - {_ALL}
        depth = dict.fromkeys(names, 1)
        for _turn in range(len(names)):
            deeper = {
                child: depth[group] + 1
                for group in sorted(names)
                for child in self.children.get(group, ())
                if child in depth and depth[child] <= depth[group]
            }
            if not deeper:
                break
            for child, least in deeper.items():
                depth[child] = max(depth[child], least)
        return sorted(names, key=lambda name: (depth[name], self._priority(name), name))

    def circle(self) -> str:
        """A group that is below itself; empty when there is none."""
        open_ends = {name: set(below) for name, below in self.children.items() if below}
        while open_ends:
            ends = [name for name, below in open_ends.items() if not below & set(open_ends)]
            if not ends:
                return min(open_ends)
            for name in ends:
                del open_ends[name]
        return ""

    def _priority(self, name: str) -> int:
        try:
            return int(self.group_values.get(name, {}).get("ansible_group_priority", 1))
        except (TypeError, ValueError):
            return 1


def read(roots: Iterable[Path], reader: Reader) -> Groups:
    """The groups of every YAML inventory file of I(roots)."""
    parser = _Parser(reader)
    for root in roots:
        for file in _files(root, reader):
            parser.file(file)
    circle = parser.groups.circle()
    if circle:
        reader.error("cycle", Where(circle), "the group is below itself.", "Take it out of one of the groups below it.")
    return parser.groups


def _files(root: Path, reader: Reader) -> Iterator[Path]:
    folders = _MOST_FOLDERS

    def below(folder: Path, line: tuple[str, ...]) -> Iterator[Path]:
        nonlocal folders
        folders -= 1
        for name in sorted(os.listdir(folder)) if folders >= 0 else ():
            path = folder / name
            if name.startswith(".") or name in _IGNORED_FOLDERS or name.endswith(_IGNORED_ENDS):
                continue
            real = os.path.realpath(path)
            if not path.is_dir():
                yield path
            elif real not in line and Path(real).is_relative_to(line[0]):
                yield from below(path, (*line, real))

    yield from below(root, (os.path.realpath(root),))
    if folders < 0:
        what = f"it has more than {_MOST_FOLDERS} folders."
        reader.error("too-long", Where(root.name), what, "Give the folder of one inventory.")


class _Parser:
    def __init__(self, reader: Reader) -> None:
        self.groups = Groups()
        self._reader = reader
        self._hosts_left = _MOST_HOSTS

    def file(self, file: Path) -> None:
        suffix = os.path.splitext(file.name)[1]
        where = Where(file.name, file=str(file))
        if suffix in SUFFIXES:
            values = self._reader.values_of(file)
            if values.get("plugin"):
                what = f"it configures the inventory plugin {show(values['plugin'])}, which this check does not run."
                self._reader.warn("other-inventory", where, what, "What it adds is not checked.")
                return
            for name, body in values.items():
                self._group(name, body, Where(name, file=str(file)))
            return
        text = self._reader.text(file)
        if text is None:
            return
        if suffix in (".ini", ".toml") or text.startswith("#!") or os.access(file, os.X_OK) or _SECTION.search(text):
            self._reader.error("other-inventory", where, "it is not a YAML inventory.", _OTHER_FORM)
        elif not suffix:
            values = self._reader.values_of(file)
            for name, body in values.items():
                self._group(name, body, Where(name, file=str(file)))
        else:
            what = "it lies where inventory files lie, and is none that this check reads."
            self._reader.warn("other-inventory", where, what, "Move it elsewhere.")

    def _group(self, name: str, body: t.Any, where: Where) -> None:
        if body is not None and not isinstance(body, dict):
            self._wrong(where, body, "a group is a mapping of hosts, children and vars.")
            return
        self.groups.direct.setdefault(name, set())
        body = body or {}
        hosts, children, own = (self._section(body, key, where) for key in ("hosts", "children", "vars"))
        for pattern, values in hosts.items():
            at = where / "hosts" / pattern
            if values is not None and not isinstance(values, dict):
                self._wrong(at, values, "the variables of a host are a mapping.")
                values = None
            for host in self._expand(pattern, at):
                self.groups.direct[name].add(host)
                self.groups.host_values.setdefault(host, {}).update(values or {})
        for child, inner in children.items():
            self.groups.children.setdefault(name, set()).add(child)
            self._group(child, inner, where / "children" / child)
        self.groups.group_values.setdefault(name, {}).update(own)
        for key in body:
            if key not in ("hosts", "children", "vars"):
                what = "a group has hosts, children and vars; Ansible skips this."
                self._reader.warn("unknown-key", where / key, what, "Move it, or correct the name.")

    def _section(self, body: Mapping[str, t.Any], key: str, where: Where) -> dict[str, t.Any]:
        section = body.get(key)
        if isinstance(section, str):
            section = {section: None}
        if section is None:
            return {}
        if not isinstance(section, dict):
            self._wrong(where / key, section, "a mapping is needed: each name, and a colon after it.")
            return {}
        for name in section:
            if not isinstance(name, str):
                self._reader.error(
                    "bad-key", where / key / str(name), f"the key {show(name)} is not a text.", "Put it in quotes."
                )
        return {name: value for name, value in section.items() if isinstance(name, str)}

    def _wrong(self, where: Where, value: object, wanted: str) -> None:
        self._reader.error("wrong-type", where, f"{show(value)} stands here; {wanted}", "Correct it.")

    def _expand(self, pattern: str, where: Where) -> Iterable[str]:
        """The hosts of C(node[01:10]), also without the port at the end."""
        done, queue = [], [re.sub(r"(?<=[^:\]]):\d+\Z", "", pattern) if pattern.count(":") == 1 else pattern]
        while queue:
            text = queue.pop(0)
            found = _RANGE.search(text)
            if not found or ":" not in found.group(1):
                done.append(text)
                continue
            steps = _steps(found.group(1))
            if steps is None or len(steps) > self._hosts_left:
                what = f"the range {show(found.group())} cannot be used, or stands for too many hosts."
                self._reader.error("bad-value", where, what, "Write it as [01:10], or name the hosts.")
                return []
            self._hosts_left -= len(steps)
            queue += [text[: found.start()] + step + text[found.end() :] for step in steps]
        return done


def _steps(text: str) -> list[str] | None:
    first, last, *rest = text.split(":")
    step = rest[0] if rest else "1"
    if len(rest) > 1 or not step.isdecimal() or not 0 < len(step) < _LONGEST or int(step) == 0:
        return None
    letters = string.ascii_letters
    if len(first) == 1 and len(last) == 1 and first in letters and last in letters:
        return list(letters[letters.index(first) : letters.index(last) + 1 : int(step)]) or None
    first = first or "0"
    if not (first.isdecimal() and last.isdecimal()) or max(len(first), len(last)) > _LONGEST:
        return None
    width = len(first) if first.startswith("0") else 0
    if width > 1 and width != len(last):
        return None
    count = range(int(first), int(last) + 1, int(step))
    return [str(n).zfill(width) for n in count] if 0 < len(count) <= _MOST_HOSTS else None


_LONGEST = 9

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the model share: a small sound organisation, ways to change it, and the corpus of bad ones."""

from __future__ import annotations

import copy
import datetime
import json
import typing as t
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Environment, Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet

TODAY = datetime.date(2026, 11, 21)
CORPUS = Path(__file__).resolve().parent / "corpus"

#: Everything an inventory says: C(settings), C(tenants), C(clusters) and C(recorded).
Inventory = dict[str, t.Any]


class _Loader(yaml.SafeLoader):
    """YAML with words for what is too large to be written out."""


def _repeat(loader: yaml.SafeLoader, node: yaml.nodes.Node) -> t.Any:
    item, times = loader.construct_sequence(t.cast(yaml.nodes.SequenceNode, node), deep=True)
    return item * times if isinstance(item, str) else [copy.deepcopy(item) for _unused in range(times)]


def _deep(loader: yaml.SafeLoader, node: yaml.nodes.Node) -> t.Any:
    value: t.Any = "bottom"
    for _unused in range(int(loader.construct_scalar(t.cast(yaml.nodes.ScalarNode, node)))):
        value = {"down": [value]}
    return value


def _laughs(loader: yaml.SafeLoader, node: yaml.nodes.Node) -> t.Any:
    """One list that is shared so often that nobody can write it out."""
    value: t.Any = ["ha"] * 10
    for _unused in range(int(loader.construct_scalar(t.cast(yaml.nodes.ScalarNode, node)))):
        value = [value] * 10
    return value


def _day(loader: yaml.SafeLoader, node: yaml.nodes.Node) -> str:
    """A date as the text that the model gets."""
    return loader.construct_yaml_timestamp(t.cast(yaml.nodes.ScalarNode, node)).isoformat()


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _day)
_Loader.add_constructor("!repeat", _repeat)
_Loader.add_constructor("!deep", _deep)
_Loader.add_constructor("!laughs", _laughs)


def load(path: Path) -> t.Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # a safe loader with more words


@cache
def _base() -> Inventory:
    # through JSON, so that what YAML merges are no shared objects
    return t.cast(Inventory, json.loads(json.dumps(load(CORPUS / "base.yml"))))


def base() -> Inventory:
    """A small organisation without any problem."""
    return copy.deepcopy(_base())


def put(inventory: Inventory, path: str, value: t.Any) -> None:
    """Sets one value. I(path) joins keys and list indexes with C(" / ")."""
    *above, last = path.split(" / ")
    node: t.Any = inventory
    for key in above:
        node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
    if isinstance(node, list):
        node[int(last) : int(last) + 1] = [value]
    else:
        node[last] = value


def remove(inventory: Inventory, path: str) -> None:
    *above, last = path.split(" / ")
    node: t.Any = inventory
    for key in above:
        node = node[int(key)] if isinstance(node, list) else node[key]
    del node[int(last) if isinstance(node, list) else last]


def changed(*changes: Mapping[str, t.Any], without: t.Iterable[str] = (), of: Inventory | None = None) -> Inventory:
    """The small organisation with changes, each a mapping of paths to values."""
    inventory = base() if of is None else copy.deepcopy(of)
    for change in changes:
        for path, value in change.items():
            put(inventory, path, value)
    for path in without:
        remove(inventory, path)
    return inventory


def compiled(inventory: Inventory, today: datetime.date = TODAY) -> Fleet:
    source = Source(inventory["settings"], inventory["tenants"], inventory["clusters"])
    return compile_fleet(source, today=today, recorded=inventory.get("recorded"))


def messages(fleet: Fleet) -> list[str]:
    """Every finding as people read it; warnings say so."""
    return [("warning: " if p.severity == "warning" else "") + p.render() for p in fleet.problems]


def sound(inventory: Inventory, today: datetime.date = TODAY) -> Fleet:
    """The fleet of an inventory that has to be free of errors."""
    fleet = compiled(inventory, today)
    assert [p.render() for p in fleet.problems.errors] == []
    return fleet


def environment(fleet: Fleet, key: str) -> Environment:
    return next(e for e in fleet.environments if e.key == key)

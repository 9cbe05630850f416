# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws of the fleet tree that hold for every organisation."""

from __future__ import annotations

import copy
import json
import tempfile
import typing as t
from pathlib import Path

from hypothesis import assume, given, settings

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths, placements, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.layout import layout

from ..model.fleets import INVENTORIES
from ..model.support import Inventory, compiled
from .support import disk


def turned(value: t.Any) -> t.Any:
    """The same, with every mapping in the other order."""
    if isinstance(value, dict):
        return {key: turned(item) for key, item in reversed(value.items())}
    return [turned(item) for item in value] if isinstance(value, list) else value


def sound(inventory: Inventory) -> Inventory:
    """The organisation without the environments that find no place; one that is still in error is not looked at."""
    placed = {e.key for e in compiled(inventory).environments if e.placement}
    result: Inventory = copy.deepcopy(inventory)
    for body in result["tenants"].values():
        for project in body["projects"]:
            project["environments"] = [
                each for each in project["environments"] if f"{body['id']}/{project['id']}/{each['name']}" in placed
            ]
    assume(not compiled(result).problems.errors)
    return result


def rendered(inventory: Inventory, root: Path, recorded: t.Any = None) -> dict[str, bytes]:
    fleet = compiled({**inventory, "recorded": recorded or {}})
    writer.sync(root, dict(layout(fleet)))
    return disk(root)


@settings(max_examples=60)
@given(INVENTORIES)
def test_the_same_inventory_gives_the_same_bytes(inventory: Inventory) -> None:
    inventory = sound(inventory)
    before = json.dumps(inventory)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first = rendered(inventory, Path(one))
        assert rendered(turned(copy.deepcopy(inventory)), Path(other)) == first
        assert json.dumps(inventory) == before


@settings(max_examples=60)
@given(INVENTORIES)
def test_a_second_run_finds_what_it_recorded_and_changes_nothing(inventory: Inventory) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, inventory = Path(folder), sound(inventory)
        first = rendered(inventory, root)
        assert paths.PLACEMENTS in first
        assert rendered(inventory, root, placements.read(root)) == first

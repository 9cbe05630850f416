# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arrows of docs/guides/architecture.md: who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

UTILS = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
#: A package, and the packages that it may import. Only plugins import Ansible, so it is not in the list.
BELOW = {
    "_model": set(),
    "_hosts": set(),
    "_kubespray": {"_model"},
    "_inventory": {"_model"},
    "_objects": {"_model"},
    "_tree": {"_model", "_objects"},
    "_live": {"_model", "_objects"},
    "_observe": {"_model", "_objects", "_live"},
    "_import": {"_model", "_objects", "_live", "_inventory"},
    "_report": {"_model", "_objects", "_tree"},
}
#: What has no part in the arrows.
FOR_ALL = {"_libraries", "_collector", "__future__"}
#: The clock, chance and the outside: none of them in the pure layers.
IMPURE = {"random", "secrets", "subprocess", "socket", "pathlib", "tempfile", "os", "time", "urllib", "kubernetes"}
CALLS = ("date.today(", "datetime.now(", "open(")
PURE = ("_model", "_objects", "_kubespray")


def modules() -> list[tuple[str, Path]]:
    return [(path.relative_to(UTILS).parts[0], path) for path in sorted(UTILS.rglob("*.py")) if path.parent != UTILS]


def imported(path: Path) -> set[str]:
    """Absolute names, and for relative imports the package in module_utils."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module or "")
        elif isinstance(node, ast.ImportFrom):
            up = path.relative_to(UTILS).parent.parts
            base = up[: len(up) - node.level + 1]
            for target in [node.module] if node.module else [alias.name for alias in node.names]:
                found.add(".".join((*base, target or "")).split(".", maxsplit=1)[0])
    return found


def test_every_package_has_its_place() -> None:
    assert {package for package, _path in modules()} == set(BELOW)


@pytest.mark.parametrize(("package", "path"), modules(), ids=lambda value: str(getattr(value, "name", value)))
def test_arrows_point_down(package: str, path: Path) -> None:
    names = imported(path)
    assert {name for name in names if name.startswith("_")} <= BELOW[package] | FOR_ALL | {package}
    assert not {name for name in names if name.split(".")[0] in {"ansible", "ansible_collections"}}


@pytest.mark.parametrize("path", [p for package, p in modules() if package in PURE], ids=lambda path: path.name)
def test_model_and_objects_are_pure(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & IMPURE
    assert not [call for call in CALLS if call in path.read_text()]

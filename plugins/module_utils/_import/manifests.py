# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of manifests as objects, as C(kubectl get -o yaml) or a Git repository holds them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

from .._inventory.yaml_data import YamlError, documents
from .._model.errors import ModelError
from .facts import KINDS, Object

_SUFFIXES = (".yaml", ".yml", ".json")
_WANTED = frozenset(KINDS)


def read_folder(folder: Path) -> list[Object]:
    """The objects that matter, each once. What is not a manifest is passed over; nothing is templated or run.

    @raises ModelError: the folder or a file cannot be read, or an object is there twice.
    """
    if not folder.is_dir():
        raise ModelError(f"manifests: the folder {folder} does not exist.")
    found: dict[tuple[str, str, str], tuple[Object, Path]] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix not in _SUFFIXES or not file.is_file() or _hidden(file.relative_to(folder)):
            continue
        for each in _objects(file):
            meta = each["metadata"]
            key = each["kind"], meta.get("namespace") or "", meta["name"]
            if key in found:
                raise ModelError(
                    f"{each['kind']} {key[1]}/{key[2]} is in {found[key][1]} and in {file}. Keep one of them."
                )
            found[key] = each, file
    return [each for each, _file in found.values()]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _objects(file: Path) -> Iterator[Object]:
    try:
        found = list(documents(file.read_text(encoding="utf-8")))
        wrong = next((each.duplicates[0] for each in found if each.duplicates), None)
        if wrong:
            raise wrong
    except YamlError as error:
        raise ModelError(f"{file}, line {error.line}, cannot be read: {error}") from None
    except UnicodeDecodeError:
        raise ModelError(f"{file} cannot be read: it is not UTF-8 text.") from None
    for document in found:
        yield from _flat(document.value)


def _flat(document: t.Any) -> Iterator[Object]:
    if not isinstance(document, dict):
        return
    if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
        for item in document["items"]:
            yield from _flat(item)
        return
    meta = document.get("metadata")
    known = (document.get("apiVersion"), document.get("kind")) in _WANTED
    if known and isinstance(meta, dict) and isinstance(meta.get("name"), str):
        if document["kind"] != "Namespace" and not meta.get("namespace"):
            return
        yield document

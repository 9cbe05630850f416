# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds Secrets in the tree that everybody can read who can read the repository."""

from __future__ import annotations

import json
import os
import re
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .._libraries import load

yaml = load("yaml")

_ENDINGS = (".yaml", ".yml", ".json")
_MAY_HOLD = re.compile(rb"\bSecret\b|secretGenerator")
_CONTENT = ("data", "stringData")
_ENCRYPTED = "ENC["
_SKIPPED = (".git", ".fleet-staging")


def find(root: Path, among: Iterable[str] | None = None) -> list[str]:
    """Where there is clear text, as C(file: what), by file.

    @param root: a folder.
    @param among: look at these only, relative to the folder.
    """
    result = []
    for each in sorted(files(root) if among is None else among):
        path = root / each
        if path.suffix in _ENDINGS and path.is_file():
            data = path.read_bytes()
            if _MAY_HOLD.search(data):
                result += [f"{each}: {what}" for what in _in_file(data)]
    return result


def files(root: Path) -> Iterator[str]:
    """Every file below a folder, without Git's own."""
    for folder, folders, names in os.walk(root):
        folders[:] = [each for each in folders if each not in _SKIPPED]
        below = folder[len(str(root)) :].lstrip(os.sep)
        yield from (os.path.join(below, name) for name in names)


def _in_file(data: bytes) -> Iterator[str]:
    try:
        documents = list(yaml.safe_load_all(data.decode()))
    except (UnicodeDecodeError, yaml.YAMLError):
        # Flux would refuse it as well; it may still hold what nobody should see.
        yield "it names a Secret and is not YAML, so nobody can tell whether that is encrypted"
        return
    for document in documents:
        yield from _in_document(document)


def _in_document(document: t.Any) -> Iterator[str]:
    if not isinstance(document, Mapping):
        return
    if document.get("kind") == "List":
        for each in document.get("items") or ():
            yield from _in_document(each)
    for generator in document.get("secretGenerator") or () if document.get("kind") == "Kustomization" else ():
        if isinstance(generator, Mapping) and generator.get("literals"):
            yield f"the generator of the Secret {generator.get('name', '')} has its content in clear text"
    if document.get("kind") != "Secret" or document.get("apiVersion") != "v1":
        return
    name = (document.get("metadata") or {}).get("name", "")
    for part in _CONTENT:
        for key, value in (document.get(part) or {}).items():
            text = value if isinstance(value, str) else json.dumps(value)
            if text and not text.startswith(_ENCRYPTED):
                yield f"{part}.{key} of the Secret {name} is in clear text"

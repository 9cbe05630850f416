# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: which files of the tree are ours, from which objects they were made, and what they held then."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping

from . import paths
from .disk import Disk, check_path
from .errors import TreeError


class Entry(t.NamedTuple):
    """One file: the digest of what it was made from, and the SHA-256 of its bytes."""

    objects: str
    content: str


def read(disk: Disk) -> dict[str, Entry]:
    """The manifest of the last run; empty when there was none."""
    text = disk.read(paths.MANIFEST)
    return {} if text is None else parse(text, disk.full(paths.MANIFEST))


def parse(text: bytes, where: str) -> dict[str, Entry]:
    """Reads the text of a manifest.

    @param where: the file, for messages.
    """
    try:
        files = json.loads(text)["files"]
        entries = {path: Entry(*digests) for path, digests in files.items()}
        if not all(isinstance(digest, str) for entry in entries.values() for digest in entry):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TreeError(
            where,
            "it is damaged, so it is unknown which files were written by this tool.",
            f"Take it back from Git: git checkout HEAD -- {paths.MANIFEST}. Without Git, remove it and the folders "
            f"{paths.CLUSTERS} (but for {paths.BOOTSTRAP}) and {paths.POLICIES}.",
        ) from None
    for path in entries:
        check_path(path, where)
    return entries


def render(entries: Mapping[str, Entry]) -> bytes:
    """Text with one line per file, so that a diff and a merge stay readable."""
    lines = [f"{json.dumps(path)}: {json.dumps(entries[path])}" for path in sorted(entries)]
    return ('{"format": 1, "files": {\n' + ",\n".join(lines) + "\n}}\n").encode()

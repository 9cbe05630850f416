# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads all objects of a kind, page by page: as many requests as kinds, not as objects."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from .discovery import Resource
from .errors import LiveError
from .kinds import SELECTOR
from .session import Session

_GONE = 410
_RESTARTS = 3
LIMIT = 500


def pages(
    session: Session, resource: Resource, *, selector: str = SELECTOR, limit: int = LIMIT
) -> Iterator[list[dict[str, t.Any]]]:
    """The objects of a kind, a page at a time.

    A list so long that its snapshot expires goes on with newer data, so an object may come twice.

    @raises LiveError: they cannot be read.
    """
    query = {"limit": str(limit), **({"labelSelector": selector} if selector else {})}
    restarts = 0
    where = f"listing {resource.plural}"
    while True:
        answer = session.request("list", "GET", resource.path(), query=query, ok=(_GONE,), where=where)
        meta = answer.body.get("metadata") or {}
        if answer.status == _GONE:
            restarts += 1
            if restarts > _RESTARTS:
                raise LiveError(where, "the API server forgets the list while it is read.", "Run again.")
            # the answer may hold a token with which the list goes on, at a newer state
            query.pop("continue", None)
            if meta.get("continue"):
                query["continue"] = meta["continue"]
            continue
        items = answer.body.get("items") or []
        for item in items:
            # the items of a list do not repeat what they are
            item["apiVersion"], item["kind"] = resource.api_version, resource.kind
        yield items
        if not meta.get("continue"):
            return
        query["continue"] = meta["continue"]


def list_all(session: Session, resource: Resource, *, selector: str = SELECTOR) -> list[dict[str, t.Any]]:
    """All objects of a kind, each once."""
    found = {}
    for items in pages(session, resource, selector=selector):
        for item in items:
            meta = item["metadata"]
            found[(meta.get("namespace"), meta["name"])] = item
    return list(found.values())

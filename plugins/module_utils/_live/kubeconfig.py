# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the library kubernetes leaves out of a kubeconfig, and what it says too loudly."""

from __future__ import annotations

import contextlib
import logging
import re
import typing as t
from collections.abc import Iterator, Mapping

from .._libraries import load
from .errors import LiveError

kubernetes = load("kubernetes")

#: Long words with digits in them: what a program for logging in prints beside its reason.
_SECRET = re.compile(r"(?<![\w.+=-])(?=[\w.+=-]*\d)[\w.+=-]{24,}|(?<=Bearer )\S+|(?<=//)[^/@\s]+(?=@)")
#: The library shows a part of the kubeconfig that it finds faulty.
_CONTENT = re.compile(r"\{.*\}", re.DOTALL)
_LONGEST = 300


def hushed(text: object) -> str:
    """A message of the library, or of a program that it started, without what may be secret."""
    return _SECRET.sub("***", _CONTENT.sub("{...}", str(text)))[:_LONGEST].rstrip(". \n")


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """What the library only logs, such as a program for logging in that fails; it reaches no log of anybody."""
    texts: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        if record.module != "kube_config":
            return True
        texts.append(hushed(record.getMessage()))
        return False

    root, handler = logging.getLogger(), logging.NullHandler()
    root.addHandler(handler)  # without any, the library would add one that prints
    root.addFilter(keep)
    try:
        yield texts
    finally:
        root.removeFilter(keep)
        root.removeHandler(handler)


def acting_as(config: str | Mapping[str, t.Any], context: str | None, where: str) -> list[tuple[str, str]]:
    """The headers for acting as somebody else, which kubectl takes from C(as) of the user and the library does not.

    @param config: a path, several separated by colons, or the content.
    @raises LiveError: groups without a user.
    """
    if isinstance(config, str):
        merged = kubernetes.config.kube_config.KubeConfigMerger(config).config
        content: Mapping[str, t.Any] = merged.value
    else:
        content = config
    chosen = _named(content.get("contexts"), context or content.get("current-context"), "context")
    user = _named(content.get("users"), chosen.get("user"), "user")
    headers = [("Impersonate-User", str(user["as"]))] if user.get("as") else []
    more = [("Impersonate-Group", str(group)) for group in user.get("as-groups") or ()]
    if user.get("as-uid"):
        more.append(("Impersonate-Uid", str(user["as-uid"])))
    for key, values in (user.get("as-user-extra") or {}).items():
        more += [(f"Impersonate-Extra-{key}", str(value)) for value in values]
    if more and not headers:
        raise LiveError(where, "it says as-groups, as-uid or as-user-extra without 'as'.", "Say as which user to act.")
    return headers + more


def _named(items: t.Any, name: t.Any, part: str) -> Mapping[str, t.Any]:
    for node in items or ():
        item = getattr(node, "value", node)
        if item.get("name") == name:
            return item.get(part) or {}
    return {}

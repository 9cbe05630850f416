# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the writer share."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import Content
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .support import disk, stamps

A, B, C = "clusters/a/config/one.yaml", "clusters/a/tenants/x/two.yaml", "policies/1.30/three.yaml"
LISTS = ("created", "updated", "repaired", "removed", "foreign")


def lists(result: writer.TreeResult) -> dict[str, list[str]]:
    return {name: getattr(result, name) for name in LISTS if getattr(result, name)}


def both(root: Path, wanted: t.Mapping[str, Content], **options: t.Any) -> writer.TreeResult:
    """A check run, which must change nothing and foretell exactly, and then the real one."""
    before = (stamps(root), disk(root, staging=True)) if root.exists() else None
    plan = writer.sync(root, wanted, check=True, **options)
    assert ((stamps(root), disk(root, staging=True)) if root.exists() else None) == before
    result = writer.sync(root, wanted, **options)
    assert result == plan
    assert not writer.sync(root, wanted, check=True).changed
    return result


def as_nobody(action: t.Callable[[], object]) -> str:
    """The error of an action that a user without rights takes."""
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            action()
        except TreeError as error:
            os.write(writable, str(error).encode())
        finally:
            os._exit(0)
    os.close(writable)
    os.waitpid(child, 0)
    with open(readable, encoding="utf-8") as pipe:
        return pipe.read()

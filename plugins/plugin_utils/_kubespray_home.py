# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubespray's inventories on disk: one folder for each cluster, written only where something differs.

Private to the collection.
"""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.inventory import Rendered
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import emit
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _private_file

SOURCE = "the inventory, by the role kubespray"


@dataclass(frozen=True)
class Home:
    """Where everything of one cluster lies. Nothing in it is shared with another cluster."""

    root: Path

    @property
    def inventory(self) -> Path:
        return self.root / "inventory"

    @property
    def credentials(self) -> Path:
        return self.root / "credentials"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def facts(self) -> Path:
        return self.root / "facts"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    def make(self) -> None:
        """Makes the folders, for their owner only."""
        for folder in (self.root, self.inventory, self.credentials, self.artifacts, self.facts, self.logs):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                os.chmod(folder, 0o700)
            except OSError as error:
                raise AnsibleActionFail(f"{folder} cannot be made: {error.strerror}.") from None


def texts(rendered: Rendered) -> dict[str, str]:
    """What the files of an inventory hold, by their path below its folder."""
    return {path: emit.render([document], SOURCE).decode() for path, document in rendered.files.items()}


def differences(folder: Path, rendered: Rendered) -> Iterator[tuple[Path, str, str]]:
    """Each file that is not as it should be: its path, what it holds, and what it should hold."""
    for name, text in texts(rendered).items():
        path = folder / name
        try:
            now = path.read_text(encoding="utf-8") if path.exists() else ""
        except OSError as error:
            raise AnsibleActionFail(f"{path} cannot be read: {error.strerror}.") from None
        if now != text:
            yield path, now, text


_SECRET = re.compile(
    r"^(\s*(?:- )?\S*(?:password|passwd|_pass|token|secret|key_data)\w*: )(?!true$|false$).+$", re.MULTILINE
)


def _masked(text: str) -> str:
    """The text for people to see: a password may stand in it."""
    return _SECRET.sub(r"\1********", text)


def write(home: Home, rendered: Rendered, *, check: bool = False) -> list[dict[str, t.Any]]:
    """Brings the inventory of a cluster to what it should be; returns what differed, in the form of Ansible's diff."""
    diffs = []
    for path, now, text in differences(home.inventory, rendered):
        diffs.append(
            {
                "before": _masked(now),
                "after": _masked(text),
                "before_header": f"{path} (now)",
                "after_header": f"{path} (wanted)",
            }
        )
        if not check:
            home.make()
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # connection passwords may stand in it
            _private_file.write(path, text)
    return diffs

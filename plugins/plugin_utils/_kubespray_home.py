# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubespray's inventories on disk: one folder for each cluster, written only where something differs.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import YamlError, load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.inventory import Rendered
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import emit
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
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

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Makes the folders, and keeps other runs away: two on one cluster would destroy it."""
        self.make()
        self.lock.touch(mode=0o600)
        with open(self.lock, "a", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise AnsibleActionFail(
                    f"{self.root.name}: another run is at work on this cluster. Wait until it has ended."
                ) from None
            yield


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


# what the name of a variable says of its value
_SECRET_NAME = re.compile(
    r"(?!.*_(?:file|dir|path|ttl|size)$)"
    r".*(?:pass(?!through)|secret|token|credential|psk|(?:^|_)auth$|_key$|(?:private|access|api)_?key|key_?data)",
    re.IGNORECASE,
)
# and what the text itself says: options, settings of another program, a key
_SECRET_TEXT = re.compile(
    r"(?:pass(?:word|wd|phrase)?|secret|token|credentials?|[_-]key|\bauth)"
    r"(?:[\"']?\s*=|[\"']\s*:|:\s)\s*(?!true\b|false\b)\S|PRIVATE KEY-----",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(://)[^/\s]+@")
_HIDDEN = "********"


def _masked(value: t.Any, *, secret: bool = False) -> t.Any:
    """The value for people to see.

    @param secret: it stands somewhere below a name that says so.
    """
    if isinstance(value, dict):
        return {k: _masked(each, secret=secret or bool(_SECRET_NAME.match(str(k)))) for k, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, secret=secret) for each in value]
    if value is None or isinstance(value, bool):
        return value
    if secret or (isinstance(value, str) and _SECRET_TEXT.search(value)):
        return _HIDDEN
    return _LOGIN.sub(rf"\1{_HIDDEN}@", value) if isinstance(value, str) else value


def _shown(text: str) -> str:
    """A file for people to see: passwords may stand in it, in one line or in many."""
    if not text:
        return ""
    try:
        found = load(text)
        if isinstance(found, dict):
            return emit.render([_masked(found)], SOURCE).decode()
    except (YamlError, TreeError):
        pass
    return "# not shown, as it is no file of variables\n"


def write(home: Home, rendered: Rendered, *, check: bool = False) -> list[dict[str, t.Any]]:
    """Brings the inventory of a cluster to what it should be; returns what differed, in the form of Ansible's diff."""
    diffs = []
    for path, now, text in differences(home.inventory, rendered):
        before, after = _shown(now), _shown(text)
        if before == after:
            after += "# what differs is not shown: a secret, or how it is written\n"
        diffs.append(
            {
                "before": before,
                "after": after,
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

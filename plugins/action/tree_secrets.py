# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds Secrets in clear text, and encrypts a tree for other keys; see the module of the same name."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import clear_text, paths
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._private_file import write

SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["checked", "rotated"], "default": "checked"},
    "cluster": {"type": "str"},
    "old_key_file": {"type": "path"},
    "new_key_file": {"type": "path"},
    "sops": {"type": "str", "default": "sops"},
}
_NEXT = """\
A new key was made: {path}
Replace the old recipient in cluster_age_recipients by
  {recipient}
then run the playbook tenants, and this one again."""
_TIMEOUT = 60
_ENCRYPTED = re.compile(r'^(sops:|\s*"sops":)', re.MULTILINE)
#: Where SOPS would look for other keys than those that it is told.
_KEYS = (
    "SOPS_AGE_KEY",
    "SOPS_AGE_KEY_CMD",
    "SOPS_AGE_KEY_FILE",
    "SOPS_AGE_RECIPIENTS",
    "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
)


class ActionModule(FleetAction):
    """Runs on the controller and contacts no cluster."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _unused, given = self.validate_argument_spec(SPEC)
        arguments = t.cast("dict[str, t.Any]", plain(given))
        check = bool(self._task.check_mode)
        root = Path(arguments["path"]).absolute()
        if not root.is_dir():
            raise AnsibleActionFail(f"path: {root} is no folder.")
        found = clear_text.find(root)
        result: dict[str, t.Any] = {"changed": False, "clear_text": found, "rotated": []}
        if found:
            told = "\n".join(f"  {each}" for each in found)
            result.update(failed=True, msg=f"{len(found)} values of Secrets are in clear text:\n{told}")
        elif arguments["state"] == "rotated":
            new = _key(arguments, "new_key_file", must_exist=False)
            if not new.exists():
                text = age.generate(datetime.datetime.now(datetime.timezone.utc))
                result["changed"] = write(new, text, check=check)
                self.say([_NEXT.format(path=new, recipient=age.recipients(text)[0])] if not check else [])
                return result
            result["rotated"] = _rotate(root, arguments, new, check=check)
            result["changed"] = bool(result["rotated"])
        return result


def _key(arguments: Mapping[str, t.Any], option: str, *, must_exist: bool = True) -> Path:
    if not arguments[option]:
        raise AnsibleActionFail(f"{option}: it is needed with state: rotated.")
    path = Path(arguments[option])
    if must_exist and not path.is_file():
        raise AnsibleActionFail(f"{option}: there is no file {path}.")
    return path


def _rotate(root: Path, arguments: Mapping[str, t.Any], new: Path, *, check: bool) -> list[str]:
    """Encrypts every file of a cluster for the present recipients with a new data key, and proves what opens it."""
    if not arguments["cluster"]:
        raise AnsibleActionFail("cluster: it is needed with state: rotated.")
    folder = root / paths.cluster_folder(arguments["cluster"], paths.SECRETS)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and _ENCRYPTED.search(_text(path))]
    sops = _Sops(arguments["sops"], root)
    old = _key(arguments, "old_key_file")
    rotated = []
    for path in files:
        name = str(path.relative_to(root))
        if sops.opens(path, new) and not sops.opens(path, old):
            continue
        rotated.append(name)
        if check:
            continue
        before = path.read_bytes()
        try:
            # A new data key: whoever has kept the old one with the old key opens nothing that comes. It is made first,
            # so that a file that was left between the two still opens with the old key, and is done by the next run.
            sops.run(old, "rotate", "--in-place", str(path))
            sops.run(old, "updatekeys", "--yes", str(path))
            if sops.opens(path, old):
                raise AnsibleActionFail(
                    f"{name}: the old key still opens it, so {paths.SOPS} still names it. Change "
                    "cluster_age_recipients, run the playbook tenants, then run again."
                )
        except AnsibleActionFail:
            path.write_bytes(before)
            raise
    return rotated


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


class _Sops:
    """The program, with exactly one file of keys."""

    def __init__(self, program: str, root: Path) -> None:
        self._program, self._root = program, root

    def run(self, key: Path, *arguments: str) -> None:
        """@raises AnsibleActionFail: it fails."""
        done = self._run(key, *arguments)
        if done.returncode:
            raise AnsibleActionFail(f"sops {' '.join(arguments)}: {done.stderr.strip()}")

    def opens(self, path: Path, key: Path) -> bool:
        return self._run(key, "decrypt", str(path)).returncode == 0

    def _run(self, key: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if name not in _KEYS}
        # An own home, because SOPS also tries the keys in the home of its user.
        env.update(SOPS_AGE_KEY_FILE=str(key.absolute()), XDG_CONFIG_HOME=str(self._root / ".git"))
        try:
            return subprocess.run(
                [self._program, *arguments],
                cwd=self._root, env=env, text=True, capture_output=True, timeout=_TIMEOUT, check=False,
            )  # fmt: skip
        except FileNotFoundError:
            raise AnsibleActionFail(f"sops: there is no program {self._program}. Install SOPS 3.8 or newer.") from None
        except subprocess.TimeoutExpired:
            raise AnsibleActionFail(f"sops {arguments[0]}: no answer after {_TIMEOUT} s.") from None

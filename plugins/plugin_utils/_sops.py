# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOPS, as what encrypts for others: it needs public keys only, and no key ever leaves this process in the clear.

Private to the collection.
"""

from __future__ import annotations

import os
import subprocess
import typing as t
from collections.abc import Iterable
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._libraries import load

if t.TYPE_CHECKING:
    import yaml
else:
    yaml = load("yaml")

_TIMEOUT = 60
_PATTERN = "^(data|stringData)$"


def encrypt(program: str, text: str, recipients: Iterable[str]) -> str:
    """YAML with the values of its Secrets encrypted. What is secret goes in through a pipe.

    @raises AnsibleActionFail: it cannot be done.
    """
    line = [program, "--encrypt", "--age", ",".join(recipients), "--encrypted-regex", _PATTERN]
    line += ["--input-type", "yaml", "--output-type", "yaml", "/dev/stdin"]
    # not in the tree, whose .sops.yaml has rules for files and none for a pipe
    env = {name: value for name, value in os.environ.items() if not name.startswith("SOPS_")}
    try:
        done = subprocess.run(
            line, input=text, cwd="/", env=env, text=True, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except FileNotFoundError:
        raise AnsibleActionFail(f"sops: there is no program {program}. Install SOPS 3.8 or newer.") from None
    except subprocess.TimeoutExpired:
        raise AnsibleActionFail(f"sops --encrypt: no answer after {_TIMEOUT} s.") from None
    if done.returncode:
        raise AnsibleActionFail(f"sops --encrypt: {done.stderr.strip()}")
    return done.stdout


def annotation(path: Path, name: str, recipients: Iterable[str]) -> str:
    """An annotation of an encrypted Secret, by which its maker knows it again without a private key.

    @returns: empty when the file is missing, holds a value in clear text, or is encrypted for others.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        readers = sorted(each["recipient"] for each in found["sops"]["age"])
        values = [value for key in ("data", "stringData") for value in found.get(key, {}).values()]
        if readers == sorted(recipients) and values and all(str(value).startswith("ENC[") for value in values):
            return str(found["metadata"]["annotations"][name])
    except (OSError, UnicodeDecodeError, AttributeError, KeyError, TypeError, yaml.YAMLError):
        pass
    return ""

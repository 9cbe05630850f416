# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variable files that SOPS has encrypted. Their values are Ansible's business: its vars plugin C(community.sops.sops)
decrypts them for the playbooks. Here only those matter that must not be secret, and whether they get decrypted at all.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from pathlib import Path

from .reading import ENCRYPTED

PLUGIN = "community.sops.sops"
_BEFORE = "host_group_vars"
_META = "sops"
_CIPHER = "ENC["

TENANT_FILE = (
    "SOPS encrypted it; a tenant file is data that everybody concerned can read.",
    "Decrypt it. Secrets belong into Secrets on the cluster.",
)
NOT_DECRYPTED = (
    "SOPS encrypted it, and nobody decrypts it: its variables would be their own cipher text.",
    f"Install the collection community.sops, and set vars_plugins_enabled = {_BEFORE},{PLUGIN} in your ansible.cfg.",
)
WRONG_NAME = (
    f"SOPS encrypted it, and {PLUGIN} decrypts only files whose names end in {', '.join(ENCRYPTED)}: its variables "
    "would be their own cipher text.",
    "Rename it.",
)


def is_encrypted(variables: Mapping[str, t.Any]) -> bool:
    """Whether SOPS wrote a file."""
    meta = variables.get(_META)
    return isinstance(meta, Mapping) and "mac" in meta and "version" in meta


def is_named(file: Path) -> bool:
    """Whether the vars plugin takes a file for an encrypted one."""
    return file.name.endswith(ENCRYPTED)


def is_decrypted(plugins: t.Sequence[str]) -> bool:
    """Whether these vars plugins, in this order, decrypt: the later one wins, and the first reads the cipher text."""
    names = [str(each).removeprefix("ansible.builtin.") for each in plugins]
    return PLUGIN in names and _BEFORE in names[: names.index(PLUGIN)]


def has_cipher(value: t.Any) -> bool:
    """Whether anything in a value is encrypted."""
    if isinstance(value, str):
        return value.startswith(_CIPHER)
    if isinstance(value, Mapping):
        return any(has_cipher(each) for each in value.values())
    return isinstance(value, list) and any(has_cipher(each) for each in value)

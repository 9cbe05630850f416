# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that SOPS has encrypted; `make sops-check` reads them with the plugin that decrypts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.encrypted import is_decrypted
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import Folder, fill

from .test_hostile import CIPHER, SOPS, make


@pytest.mark.parametrize(
    ("plugins", "decrypted"),
    [
        (["host_group_vars", "community.sops.sops"], True),
        (["ansible.builtin.host_group_vars", "some.other.plugin", "community.sops.sops"], True),
        (["host_group_vars"], False),
        (["community.sops.sops"], False),
        # who comes later wins, and reads cipher text
        (["community.sops.sops", "host_group_vars"], False),
    ],
)
def test_the_plugin_that_decrypts_comes_last(plugins: list[str], decrypted: bool) -> None:
    assert is_decrypted(plugins) is decrypted


@pytest.mark.parametrize("decrypted", [True, False])
def test_cipher_text_that_nobody_decrypts_is_told(tmp_path: Path, decrypted: bool) -> None:
    name = "group_vars/all/secrets.sops.yml"
    folder = Folder((make(tmp_path, {name: f"token: '{CIPHER}'\nfleet_name: x\n{SOPS}"}),), decrypted=decrypted)
    fill(folder)
    assert [problem.code for problem in folder.problems] == ([] if decrypted else ["encrypted"])
    assert folder.values == {"fleet_name": "x"}

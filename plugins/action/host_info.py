# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes when a host has answered; see the module of the same name."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._look_action import LookAction


class ActionModule(LookAction):
    """Runs the module on the host.

    Between asking and answering lie a login and the start of Python, which takes seconds when many hosts are asked at
    once. A clock is only wrong when it is outside of that time.
    """

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        if isinstance(result.get("expect"), dict):
            result["expect"]["controller_time_after"] = time.time()
        return result

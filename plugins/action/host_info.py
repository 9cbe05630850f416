# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes when a host has answered; see the module of the same name."""

from __future__ import annotations

from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._look_action import LookAction


class ActionModule(LookAction):
    """Runs the module on the host."""

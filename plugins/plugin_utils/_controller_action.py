# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions that run on the controller have in common.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()


class ControllerAction(ActionBase):  # type: ignore[misc]
    """Runs on the controller, without a connection to the host that the task runs for."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def say(self, lines: Iterable[str]) -> None:
        """Text for people, as it is."""
        text = "\n".join(lines)
        if text:
            display.display(text)

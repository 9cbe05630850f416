# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes how long each task of a run took, for how many hosts, to the file TASK_TIMES."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: task_times
type: aggregate
short_description: Seconds of each task
description: For the tests of this collection.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """A task lasts until the next one starts."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._tasks: list[dict[str, t.Any]] = []
        self._play = ""

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        self._play = play.get_name()

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        del is_conditional
        self._end()
        entry = {
            "play": self._play,
            "name": task.get_name(),
            "action": task.action,
            "hosts": 0,
            "start": time.monotonic(),
        }
        self._tasks.append(entry)

    def v2_playbook_on_handler_task_start(self, task: t.Any) -> None:
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        del result
        self._tasks[-1]["hosts"] += 1

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._end()
        hosts = {host: stats.summarize(host) for host in stats.processed}
        Path(os.environ["TASK_TIMES"]).write_text(json.dumps({"tasks": self._tasks, "hosts": hosts}), encoding="utf-8")

    def _end(self) -> None:
        if self._tasks:
            last = self._tasks[-1]
            last["seconds"] = time.monotonic() - last["start"]

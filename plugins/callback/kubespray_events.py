# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what happens in a playbook run to a file, one JSON object a line, as it happens.

It runs inside the environment of a Kubespray release, whose ansible-core is not ours, and imports nothing of the
collection.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubespray_events
type: notification
short_description: Writes plays, tasks and failures to a file as they happen
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Used by M(k8s.self_provisioning.kubespray) to show how far a run is, and to say where it failed.
  - Does nothing unless the file is named.
options:
  path:
    description:
      - The file that gets the events.
    type: path
    env:
      - name: SELF_PROVISIONING_EVENTS
"""

import json
import typing as t

from ansible.plugins.callback import CallbackBase

_LONGEST_MESSAGE = 2000


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Appends to the file and flushes, so that a reader sees each event at once."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "k8s.self_provisioning.kubespray_events"
    CALLBACK_NEEDS_ENABLED = True

    def set_options(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().set_options(*args, **kwargs)
        path = self.get_option("path")
        self._file = open(path, "a", encoding="utf-8") if path else None  # noqa: SIM115 (open while the run lasts)

    def _tell(self, kind: str, **values: t.Any) -> None:
        if self._file:
            self._file.write(json.dumps({"event": kind, **values}) + "\n")
            self._file.flush()

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        self._tell("play", name=str(play.get_name()))

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        self._tell("task", name=str(task.get_name()))

    def v2_playbook_on_handler_task_start(self, task: t.Any) -> None:
        self._tell("task", name=str(task.get_name()))

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            self._fault("failed", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._fault("unreachable", result)

    def _fault(self, kind: str, result: t.Any) -> None:
        values = result._result
        parts = [values.get("msg"), values.get("stderr"), values.get("module_stderr")]
        for each in (values.get("failed_modules") or {}).values():
            parts += [each.get("msg"), each.get("module_stderr")]
        if values.get("_ansible_no_log"):
            parts = ["the output is hidden, because it may hold secrets"]
        elif values.get("results"):
            parts += [each.get("msg") for each in values["results"] if isinstance(each, dict) and each.get("failed")]
        message = " ".join(str(part).strip() for part in parts if part)
        self._tell(
            kind,
            host=str(result._host.get_name()),
            task=str(result._task.get_name()),
            message=message[:_LONGEST_MESSAGE],
        )

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._tell("stats", hosts={str(host): stats.summarize(host) for host in sorted(stats.processed)})

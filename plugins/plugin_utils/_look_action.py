# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions have in common that look at hosts, and those that judge what was seen there.

Private to the collection.
"""

from __future__ import annotations

import time
import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.finding import ERROR, Finding, lines, reason
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.table import count
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import display


class LookAction(ActionBase):  # type: ignore[misc]
    """Runs the module of the task on the host.

    With C(fail=false) a host that cannot be looked at is no failure: the result says why, in C(unseen). Ansible's own
    means, to ignore an error or to rescue it, would lose what is seen on other hosts when errors are fatal to a play.

    Between asking and answering lie a login and the start of Python, which takes seconds when many hosts are asked at
    once. A clock is only wrong when it is outside of that time, so C(expect) gets the time of the answer.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        try:
            result: dict[str, t.Any] = self._execute_module(task_vars=task_vars)
        except AnsibleError as error:
            if self._must_see:
                raise
            return {"changed": False, "unseen": reason({"msg": str(error)})}
        if "seen" not in result and not self._must_see:
            return {"changed": False, "unseen": reason(result)}
        if isinstance(result.get("expect"), dict):
            result["expect"]["controller_time_after"] = time.time()
        return result

    @property
    def _must_see(self) -> bool:
        return bool(boolean(self._task.args.get("fail", True), strict=False))


def judged(findings: list[Finding], hosts: Mapping[str, t.Any], *, spoken: bool) -> dict[str, t.Any]:
    """The result of a preflight: errors fail the task, and everything is told.

    @param spoken: whether it is printed for people.
    """
    if spoken:
        display.display("\n".join(lines(findings, len(hosts))))
    errors = sum(each.severity == ERROR for each in findings)
    result: dict[str, t.Any] = {"changed": False, "findings": [each.row() for each in findings], "errors": errors}
    if errors:
        told = "listed above" if spoken else "see findings"
        result.update(failed=True, msg=f"Nothing was changed: {count(errors, 'error')}, {told}.")
    return result

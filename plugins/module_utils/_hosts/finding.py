# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a host, and how to mend it."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

ERROR = "error"
WARNING = "warning"
IGNORE = "ignore"

#: Every check and how much it matters by default. A Kubernetes node that has an error would fail later and obscurely.
CHECKS: dict[str, str] = {
    "reachable": ERROR,
    "root": ERROR,
    "os": ERROR,
    "architecture": ERROR,
    "cores": ERROR,
    "memory": ERROR,
    "disk": ERROR,
    "mount_options": ERROR,
    "etcd_disk": ERROR,
    "hostname": ERROR,
    "hostname_unique": ERROR,
    "machine_id": ERROR,
    "machine_id_unique": ERROR,
    "product_uuid_unique": ERROR,
    "mac_unique": ERROR,
    "address": ERROR,
    "address_unique": ERROR,
    "initiator_unique": ERROR,
    "clock": ERROR,
    "mtu": ERROR,
    "links": WARNING,
    "dns": ERROR,
    "names": ERROR,
    "peers": ERROR,
    "urls": ERROR,
    "networks": ERROR,
    "ports": ERROR,
    "leftovers": ERROR,
    "cgroup": WARNING,
    "container": ERROR,
    "kvm": ERROR,
    "gpu": ERROR,
    "secure_boot": WARNING,
    "multipath": WARNING,
    "packages": ERROR,
    "cloud_init": ERROR,
    "systemd": WARNING,
    "firewall": WARNING,
    "login": ERROR,
    "sudo": ERROR,
    "reboot": WARNING,
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one host."""

    host: str
    check: str
    severity: str
    what: str
    mend: str

    def row(self) -> dict[str, str]:
        return {
            "host": self.host,
            "check": self.check,
            "severity": self.severity,
            "what": self.what,
            "mend": self.mend,
        }


#: What a check says: its name, what is wrong, how to mend it.
Said: t.TypeAlias = "tuple[str, str, str]"


def reason(result: Mapping[str, t.Any]) -> str:
    """Why a look at a host came to nothing, in one line of what Ansible says."""
    for key in ("unseen", "module_stderr", "module_stdout", "msg"):
        told = [line.strip() for line in str(result.get(key) or "").splitlines()]
        useful = [line for line in told if line and not _OF_EVERY_FAILURE.match(line)]
        if useful:
            # a shell says first what is wrong; Python and Ansible last
            of_shell = key.startswith("module_") and not useful[0].startswith("Traceback")
            return useful[0 if of_shell else -1]
    return f"its Python ended with {result['rc']}" if "rc" in result else "it did not answer"


_OF_EVERY_FAILURE = re.compile(r"(Shared c|C)onnection to .* closed\.$|See stdout/stderr |MODULE FAILURE$")


def unseen(result: Mapping[str, t.Any]) -> Said:
    """What every preflight says of a host that nobody could look at."""
    return (
        "reachable",
        f"cannot be looked at: {reason(result)}",
        "Check its address, ansible_user and key, and that it has python3 (3.10 or newer) and sudo.",
    )


def number(value: t.Any) -> float:
    """A number that may come as text: an expression in a template is text before ansible-core 2.19, as is -e a=1."""
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0


def weighed(host: str, said: Said, severities: Mapping[str, t.Any], checks: Mapping[str, str]) -> Finding | None:
    """A finding with the weight that is wanted for it; nothing when it is to be ignored.

    @param severities: as somebody wrote them: what is no severity counts as an error, and is told.
    @param checks: every check and how much it matters by default.
    """
    check, what, mend = said
    severity = severities.get(check, checks[check])
    if severity not in (ERROR, WARNING, IGNORE):
        mend += f" Its severity is set to {severity!r}, which is none of {ERROR}, {WARNING} and {IGNORE}."
        severity = ERROR
    return None if severity == IGNORE else Finding(host, check, severity, what, mend)


def lines(findings: list[Finding], hosts: int) -> list[str]:
    """The findings for people, errors first, by host."""
    if not findings:
        return [f"preflight: {hosts} hosts, nothing to mend"]
    out = []
    for severity in (ERROR, WARNING):
        chosen = [each for each in findings if each.severity == severity]
        if not chosen:
            continue
        out += ["", f"PREFLIGHT: {len(chosen)} {severity.upper()}{'S' if len(chosen) > 1 else ''}"]
        width = max(len(each.host) for each in chosen)
        indent = " " * (width + 4)
        for each in chosen:
            out += [f"  {each.host.ljust(width)}  {each.what}  [{each.check}]", f"{indent}→ {each.mend}"]
    return out

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host that is to hold the address of an API. Needs the standard library only."""

from __future__ import annotations

import os
import re
import typing as t

from .._hosts import look_network, read, services

#: Files that the role owns, and what is in them when somebody else uses them.
FILES = {
    "/etc/haproxy/haproxy.cfg": re.compile(r"^\s*(frontend|backend|listen)\s", re.MULTILINE),
    "/etc/keepalived/keepalived.conf": re.compile(r"^\s*(vrrp_instance|virtual_server)\b", re.MULTILINE),
}
MARK = "Written by api_endpoint"
PACKAGES = ("haproxy", "keepalived")


def look(vips: list[str], expected: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    installed = {name: _version(name) for name in PACKAGES}
    network = look_network.look([], {}, [], 22, "", 1)
    own = {a.split("/")[0] for each in network["interfaces"] for a in each["addresses"]}
    return {
        "root": os.geteuid() == 0,
        "interfaces": network["interfaces"],
        "listening": network["listening"],
        "packages": {name: version for name, version in installed.items() if version},
        "services": services.states(expected),
        "watch": os.path.exists("/etc/systemd/system/api-endpoint-watch.service"),
        "foreign": [path for path, used in FILES.items() if _is_foreign(read.text(path), used)],
        "answers": {vip: _answer(vip) for vip in vips if vip not in own},
    }


def _version(name: str) -> str:
    state, _space, version = read.run(
        "dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Version}", name
    ).partition(" ")
    return version.strip() if state.strip() == "ii" else ""


def _is_foreign(content: str, used: re.Pattern[str]) -> bool:
    return MARK not in content and bool(used.search(content))


def _answer(address: str) -> str:
    """The MAC address of who has I(address), or that it answers; empty when nobody does."""
    family = "-6" if ":" in address else "-4"
    pong = read.run("ping", family, "-n", "-c", "1", "-W", "1", address, seconds=3)
    if re.search(r"\b1 received", pong):
        neighbour = read.run("ip", "neighbour", "show", address).split()
        return neighbour[neighbour.index("lladdr") + 1] if "lladdr" in neighbour else "ping"
    return ""

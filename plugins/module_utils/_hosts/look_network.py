# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses, names, ways to others, and who listens."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import struct
import typing as t
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from . import read

Seen = dict[str, t.Any]

_TRIES_AT_ONCE = 16
_VIRTUAL = (
    "veth",
    "cali",
    "lxc",
    "cilium",
    "flannel",
    "vxlan",
    "kube-",
    "nodelocaldns",
    "docker",
    "cni",
    "tunl",
    "br-",
)


def look(names: list[str], peers: dict[str, str], urls: list[str], port: int, proxy: str, seconds: float) -> Seen:
    """Everything about the network.

    @param peers: addresses of other hosts by name; tried on the SSH port, where a refusal counts as reached.
    """
    interfaces = _interfaces()
    with ThreadPoolExecutor(max_workers=_TRIES_AT_ONCE) as pool:
        resolved = dict(zip(names, pool.map(_resolve, names), strict=True))
        reached = dict(
            zip(peers, pool.map(lambda address: _connect(address, port, seconds), peers.values()), strict=True)
        )
        fetched = dict(zip(urls, pool.map(lambda url: _fetch(url, proxy, seconds), urls), strict=True))
    return {
        "interfaces": interfaces,
        "default": _default_route(),
        "routes": _routes(),
        "bonds": _bonds(),
        "nameservers": _nameservers(),
        "resolved_active": read.run("systemctl", "is-active", "systemd-resolved") == "active",
        "names": resolved,
        "peers": {name: {"address": peers[name], "error": error} for name, error in reached.items()},
        "urls": fetched,
        "listening": listening(),
        "ssh": _own_session(),
        "hosts_file_own_name": _own_name_on_loopback(),
    }


def _interfaces() -> list[Seen]:
    found = []
    for each in json.loads(read.run("ip", "-json", "address", "show") or "[]"):
        name = each.get("ifname", "")
        addresses = [
            f"{one['local']}/{one['prefixlen']}"
            for one in each.get("addr_info", [])
            if one.get("scope") != "link" and "local" in one
        ]
        found.append(
            {
                "name": name,
                "mac": each.get("address", "") if each.get("link_type") == "ether" else "",
                "mtu": each.get("mtu"),
                "up": each.get("operstate") in ("UP", "UNKNOWN"),
                "addresses": addresses,
                "virtual": name.startswith(_VIRTUAL) or name == "lo",
                "master": each.get("master", ""),
            }
        )
    return found


def _default_route() -> Seen:
    for family in ("-4", "-6"):
        for route in json.loads(read.run("ip", family, "-json", "route", "show", "default") or "[]"):
            if "dev" in route:
                return {"interface": route["dev"], "gateway": route.get("gateway", "")}
    return {"interface": "", "gateway": ""}


def _routes() -> list[Seen]:
    """Networks that the host knows a way to, without those of Kubernetes itself."""
    found = []
    for family in ("-4", "-6"):
        for route in json.loads(read.run("ip", family, "-json", "route", "show") or "[]"):
            target, device = route.get("dst", "default"), route.get("dev", "")
            if target != "default" and not target.startswith("fe80") and "type" not in route:
                found.append({"network": target, "interface": device, "protocol": route.get("protocol", "")})
    return found


def _bonds() -> Seen:
    """Members of each bond that are down."""
    found = {}
    for name in read.names("/proc/net/bonding"):
        member, down = "", []
        for line in read.text(f"/proc/net/bonding/{name}").splitlines():
            if line.startswith("Slave Interface:"):
                member = line.split()[-1]
            elif member and line.startswith("MII Status:") and line.split()[-1] != "up":
                down.append(member)
        found[name] = down
    return found


def _nameservers() -> list[str]:
    content = read.text("/run/systemd/resolve/resolv.conf") or read.text("/etc/resolv.conf")
    rows = [line.split() for line in content.splitlines()]
    return [row[1] for row in rows if len(row) > 1 and row[0] == "nameserver"]


def _resolve(name: str) -> list[str]:
    try:
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)})
    except (OSError, UnicodeError):  # a name with two dots in a row, or a part that is too long
        return []


def _connect(address: str, port: int, seconds: float) -> str:
    """Why a host cannot be reached; empty when it can."""
    try:
        socket.create_connection((address, port), timeout=seconds).close()
    except ConnectionRefusedError:
        return ""
    except (OSError, UnicodeError) as error:
        return str(error)
    return ""


def _fetch(url: str, proxy: str, seconds: float) -> str:
    """Why a server does not answer; empty when it does, with whatever status."""
    handler = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
    try:
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310
        with urllib.request.build_opener(handler).open(request, timeout=seconds * 3):
            return ""
    except urllib.error.HTTPError:
        return ""
    except (OSError, ValueError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", error)) or "its answer is no HTTP"


def listening() -> list[Seen]:
    """TCP ports that something listens on, and what."""
    owners = _socket_owners()
    found = {}
    for table, width in (("/proc/net/tcp", 4), ("/proc/net/tcp6", 16)):
        for line in read.text(table).splitlines()[1:]:
            fields = line.split()
            if len(fields) < 10 or fields[3] != "0A":
                continue
            address, port = fields[1].split(":")
            loopback = _is_loopback(address, width)
            entry = {"port": int(port, 16), "loopback": loopback, "process": owners.get(fields[9], "")}
            found[(entry["port"], loopback)] = entry
    return [found[key] for key in sorted(found)]


def _is_loopback(address: str, width: int) -> bool:
    raw = b"".join(struct.pack("<I", int(address[i : i + 8], 16)) for i in range(0, len(address), 8))
    if width == 4:
        return raw[0] == 127
    return raw == bytes(15) + b"\x01" or (raw[:12] == bytes(10) + b"\xff\xff" and raw[12] == 127)


def _socket_owners() -> dict[str, str]:
    owners = {}
    for pid in filter(str.isdigit, read.names("/proc")):
        folder = f"/proc/{pid}/fd"
        for handle in read.names(folder):
            with contextlib.suppress(OSError):
                target = os.readlink(f"{folder}/{handle}")
                if target.startswith("socket:["):
                    owners[target[8:-1]] = read.text(f"/proc/{pid}/comm")
    return owners


def _own_session() -> Seen:
    """Where the SSH session that this runs in comes from. sudo hides it, the processes above do not."""
    pid = os.getpid()
    while pid > 1:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as handle:
            for entry in handle.read().split(b"\0"):
                if entry.startswith(b"SSH_CONNECTION="):
                    client, _port, _server, port = entry.partition(b"=")[2].decode().split()
                    return {"client": client, "port": int(port)}
        try:
            pid = int(read.text(f"/proc/{pid}/stat").rpartition(")")[2].split()[1])
        except (IndexError, ValueError):
            break
    return {"client": "", "port": None}


def _own_name_on_loopback() -> bool:
    own = socket.gethostname()
    rows = [line.split("#")[0].split() for line in read.text("/etc/hosts").splitlines()]
    return any(row and row[0].startswith("127.") and own in row[1:] for row in rows)

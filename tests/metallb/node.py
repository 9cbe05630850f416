# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node on which MetalLB's real controller runs, as soon as it is installed."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from ..control_plane.process import free_ports
from .build import Built
from .kubelet import Program

NODE_ADDRESS = "10.20.0.5"
CERTIFICATES = "{home}/k8s-webhook-server/serving-certs"
#: The API server finds the pods behind a webhook's Service by itself, as there is no kube-proxy.
APISERVER = ("--enable-aggregator-routing=true",)


def programs(built: Built) -> dict[str, Program]:
    """What runs in place of MetalLB's images; the speaker would need the network of a node, so nothing does for it."""
    metrics, health = free_ports(2)
    flags = {"port": str(metrics), "health-probe-port": str(health), "cert-dir": CERTIFICATES}
    return {"controller": Program(built.controller, flags, health)}


@contextmanager
def alone(built: Built) -> Iterator[None]:
    """Only one at a time on this machine: the port of MetalLB's webhook is fixed."""
    with (built.controller.parent / ".running").open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts that cannot work, or that would put into Git what opens somebody's channel."""

from __future__ import annotations

from collections.abc import Iterable

from .entities import Settings
from .errors import Problems, Where, show, suggest
from .schema_alerts import WEBHOOKS


def check_alerts(settings: Settings, tenants: Iterable[str], problems: Problems) -> None:
    """Reports tenants that do not exist, and addresses that are secrets."""
    known = list(tenants)
    for name, alert in settings.values["fleet_alerts"].items():
        where = Where("fleet_alerts") / name
        for index, tenant in enumerate(alert.get("tenants", ())):
            if tenant not in known:
                at = where / "tenants" / index
                problems.error("unknown-name", at, f"there is no tenant {show(tenant)}.", suggest(tenant, known))
        if "address" in alert and alert.get("type") in WEBHOOKS:
            problems.error(
                "clear-text",
                where / "address",
                f"whoever has the address of a {alert['type']} webhook can write there, and Git keeps it for ever.",
                f"Remove it, put it into the Secret alert-{name}, and have {alert['type']} give you another one.",
            )

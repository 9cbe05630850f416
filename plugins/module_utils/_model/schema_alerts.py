# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the schema that says whom Flux tells of what happens on a cluster."""

from __future__ import annotations

from .schema_layer import STAGES, array, choice, obj, text

#: Ways of Flux's notification-controller that both release lines have, and whether the address itself opens them.
WEBHOOKS = ("slack", "msteams", "googlechat", "discord", "rocket", "webex", "lark")
OTHERS = ("alertmanager", "generic", "generic-hmac", "grafana", "matrix", "opsgenie", "telegram")

ALERT = obj(
    "Whom to tell of what. The address or the token is in the Secret C(alert-<name>) in the namespace of Flux.",
    {
        "type": choice(
            "What is told. Flux writes no e-mail: C(alertmanager) does it by its own receivers, and C(generic) posts "
            "JSON to whatever you have that does.",
            (*WEBHOOKS, *OTHERS),
            **{"x-hint": "Flux writes no e-mail: use alertmanager or generic for what does."},
        ),
        "address": text(
            "Where it is, instead of the key C(address) of the Secret; only where that is no secret, as of an "
            "Alertmanager in the cluster. Of C(alertmanager) and C(generic), Flux then looks into no Secret, so where "
            "they want a login as well, put the address into the Secret too.",
            pattern=r"^https?://\S+$",
            **{"x-hint": "Use an address that starts with https://, or http:// inside the cluster."},
        ),
        "channel": text("The channel or room, where the type has some."),
        "severity": choice(
            "C(error) is what went wrong; C(info) is every change as well.", ("error", "info"), default="error"
        ),
        "stages": array("Only on clusters of these stages; without it, on all.", choice("A stage.", STAGES)),
        "tenants": array(
            "Only what the fleet tree says of these tenants; without it, everything of the cluster.",
            {"type": "string", "x-names": "tenant"},
            minItems=1,
        ),
    },
    ("type",),
)

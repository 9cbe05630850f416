# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client certificate from a cluster's own authority, for as long as is asked: CertificateSigningRequest."""

from __future__ import annotations

import base64
import secrets
import time
import typing as t

from .errors import LiveError
from .session import Session

SIGNER = "kubernetes.io/kube-apiserver-client"
#: Seconds: what the API takes.
SHORTEST = 600
_PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
_PATIENCE, _BETWEEN = 30.0, 0.2


def sign(session: Session, request: bytes, seconds: int) -> bytes:
    """The certificate for a request in PEM, approved by ourselves. The cluster keeps no trace but in its audit log.

    @raises LiveError: this identity may not have it, or nobody signs it.
    """
    name = f"self-provisioning-admin-{secrets.token_hex(4)}"
    body = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {
            "request": base64.b64encode(request).decode(),
            "signerName": SIGNER,
            "expirationSeconds": max(seconds, SHORTEST),
            "usages": ["client auth"],
        },
    }
    asked = session.request("create", "POST", _PATH, body=body, where=name).body
    try:
        condition = {
            "type": "Approved",
            "status": "True",
            "reason": "SelfProvisioning",
            "message": "A short-lived login of the administrator who asks for it.",
        }
        asked["status"] = {"conditions": [condition]}
        session.request("update", "PUT", f"{_PATH}/{name}/approval", body=asked, where=name)
        return _wait(session, name)
    finally:
        session.request("delete", "DELETE", f"{_PATH}/{name}", ok=(404,), where=name)


def _wait(session: Session, name: str) -> bytes:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        status: dict[str, t.Any] = (session.get(f"{_PATH}/{name}") or {}).get("status") or {}
        if status.get("certificate"):
            return base64.b64decode(status["certificate"])
        for condition in status.get("conditions") or ():
            if condition["type"] in ("Failed", "Denied"):
                raise LiveError(name, f"the cluster signs it not: {condition.get('message', '')}.")
        time.sleep(_BETWEEN)
    raise LiveError(
        name,
        f"nobody signed it in {_PATIENCE:.0f} s.",
        "Check that kube-controller-manager runs and has the key of the authority (it has none with an external one).",
    )

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords that follow from one secret, and what PostgreSQL stores of them.

Nothing has to remember them, every run finds the same ones, and a new generation is a new password.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

_LEAST = 32
_ITERATIONS = 4096


def derived(secret: str, purpose: str, generation: int = 1) -> str:
    """The password for a purpose: 43 letters, digits, dashes and underscores.

    @raises ValueError: the secret is too short to be one.
    """
    if len(secret) < _LEAST:
        raise ValueError(f"the secret has {len(secret)} characters; at least {_LEAST} are needed.")
    mac = hmac.new(secret.encode(), f"{generation}\0{purpose}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).decode().rstrip("=")


def verifier(password: str, salt: bytes, iterations: int = _ITERATIONS) -> str:
    """What PostgreSQL stores of an ASCII password (RFC 5802), so that the password itself is never sent to it."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *parts)


def matches(password: str, stored: str) -> bool:
    """Whether PostgreSQL has stored just this password."""
    try:
        method, rest, _keys = stored.split("$")
        iterations, salt = rest.split(":")
        expected = verifier(password, base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    return method == "SCRAM-SHA-256" and hmac.compare_digest(expected, stored)

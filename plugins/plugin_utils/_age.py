# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of age, the encryption that SOPS uses: a Curve25519 key in Bech32 letters (C2SP, age).

Private to the collection.
"""

from __future__ import annotations

import datetime

from ansible_collections.k8s.self_provisioning.plugins.module_utils._libraries import load

x25519 = load("cryptography.hazmat.primitives.asymmetric.x25519")

SECRET, PUBLIC = "AGE-SECRET-KEY-", "age"
_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BYTES, _CHECK = 32, 6


class AgeKeyError(ValueError):
    """A text is no age key."""


def generate(now: datetime.datetime) -> str:
    """A new key file, as C(age-keygen) writes it."""
    key = x25519.X25519PrivateKey.generate()
    secret = _bech32(SECRET.lower(), key.private_bytes_raw()).upper()
    return f"# created: {now.isoformat(timespec='seconds')}\n# public key: {recipient(secret)}\n{secret}\n"


def recipients(text: str) -> list[str]:
    """The public keys that belong to the secret keys of a key file.

    @raises AgeKeyError: it holds none, or one that is damaged.
    """
    lines = [line.strip() for line in text.splitlines()]
    found = [recipient(line) for line in lines if line and not line.startswith("#")]
    if not found:
        raise AgeKeyError("it holds no key.")
    return found


def recipient(secret: str) -> str:
    """The public key of a secret key."""
    if not secret.startswith(f"{SECRET}1"):
        raise AgeKeyError(f"a secret key of age begins with {SECRET}1.")
    raw = _decoded(secret.lower(), SECRET.lower())
    public = x25519.X25519PrivateKey.from_private_bytes(raw).public_key()
    return _bech32(PUBLIC, public.public_bytes_raw())


def _checksum(prefix: str, values: list[int]) -> int:
    total = 1
    for value in [*(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix), *values]:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for place, part in enumerate(_GENERATOR):
            total ^= part if top >> place & 1 else 0
    return total


def _regroup(values: bytes | list[int], size: int, to: int, *, pad: bool) -> list[int]:
    bits = held = 0
    result = []
    for value in values:
        held, bits = held << size | value, bits + size
        while bits >= to:
            bits -= to
            result.append(held >> bits & (1 << to) - 1)
    if pad and bits:
        result.append(held << (to - bits) & (1 << to) - 1)
    return result


def _bech32(prefix: str, data: bytes) -> str:
    values = _regroup(data, 8, 5, pad=True)
    rest = _checksum(prefix, [*values, *([0] * _CHECK)]) ^ 1
    values += [rest >> 5 * (_CHECK - 1 - place) & 31 for place in range(_CHECK)]
    return f"{prefix}1{''.join(_LETTERS[value] for value in values)}"


def _decoded(text: str, prefix: str) -> bytes:
    try:
        values = [_LETTERS.index(c) for c in text[len(prefix) + 1 :]]
    except ValueError:
        values = []
    if len(values) <= _CHECK or _checksum(prefix, values) != 1:
        raise AgeKeyError("the key is damaged: its checksum does not fit.")
    raw = bytes(_regroup(values[:-_CHECK], 5, 8, pad=False))
    if len(raw) != _BYTES:
        raise AgeKeyError("the key has the wrong length.")
    return raw

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of age, as other programs read and write them."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._age import AgeKeyError, generate, recipients

#: From the test vectors of age.
SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
PUBLIC = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


def test_a_known_key() -> None:
    assert recipients(f"# a comment\n\n{SECRET}\n") == [PUBLIC]
    assert recipients(f"{SECRET}\n{SECRET}\n") == [PUBLIC, PUBLIC]


def test_a_new_key() -> None:
    """Says its public half in a comment, and is another one each time."""
    now = datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)
    first, second = generate(now), generate(now)
    assert first != second
    assert f"# public key: {recipients(first)[0]}" in first.splitlines()
    assert first.startswith("# created: 2026-11-21T00:00:00+00:00\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it holds no key"),
        (PUBLIC, "begins with AGE-SECRET-KEY-1"),
        (SECRET[:-1] + "Q", "its checksum does not fit"),
        (SECRET[:30], "its checksum does not fit"),
        (SECRET.replace("Q4", "B4"), "its checksum does not fit"),
    ],
)
def test_damaged_keys(text: str, told: str) -> None:
    with pytest.raises(AgeKeyError, match=told) as error:
        recipients(text)
    assert text not in str(error.value) or not text

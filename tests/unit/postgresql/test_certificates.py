# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of database hosts, made and judged by the real openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql.certificates import (
    Authority,
    CertificateError,
    alternative_names,
)

NAMES = alternative_names(["db1", "10.0.0.1", "2001:db8::1", "localhost"])


def openssl(arguments: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(openssl, str(tmp_path))
    made.make_ca("databases")
    return made


def test_a_certificate_is_issued_once(authority: Authority, tmp_path: Path) -> None:
    assert authority.lacking(NAMES, 60) == "there is none"
    authority.issue(NAMES, 825)
    assert authority.lacking(NAMES, 60) == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.crt", "ca.key", "host.crt", "host.key"]
    text = openssl(["x509", "-in", str(tmp_path / "host.crt"), "-noout", "-text"])[1]
    assert "TLS Web Server Authentication, TLS Web Client Authentication" in text
    assert "CN = db1" in text


def test_it_is_replaced_when_it_has_to_be(authority: Authority, tmp_path: Path) -> None:
    authority.issue(NAMES, 30)
    assert authority.lacking(NAMES, 60) == "it expires within 60 days"
    assert authority.lacking(NAMES, 10) == ""
    assert authority.lacking([*NAMES, "IP:10.0.0.9"], 10) == "it names others than wanted"
    assert authority.lacking(NAMES[:-1], 10) == "it names others than wanted"
    key = tmp_path / "host.key"
    other = (tmp_path / "ca.key").read_text(encoding="ascii")
    kept = key.read_text(encoding="ascii")
    key.write_text(other, encoding="ascii")
    assert authority.lacking(NAMES, 10) == "the key is another one"
    key.write_text(kept, encoding="ascii")
    authority.make_ca("another")
    assert authority.lacking(NAMES, 10) == "it was not given by this authority, or has expired"


def test_what_openssl_says_is_told(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="openssl req failed"):
        Authority(openssl, str(tmp_path / "missing")).make_ca("databases")

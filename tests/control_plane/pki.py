# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates, keys and kubeconfigs of a control plane."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BACK_DATED = datetime.timedelta(days=1)
"""Certificates begin in the past: a machine's clock may step back."""

VALID = datetime.timedelta(days=30)

SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
SERVER_ADDRESSES = ("127.0.0.1", "10.96.0.1")


def write_private(path: Path, content: bytes) -> Path:
    """Write a file that only its owner can read, from the first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(content)
    return path


def _pem_key(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def service_account_key(path: Path) -> Path:
    """Make the key that service-account tokens are signed with."""
    return write_private(path, _pem_key(rsa.generate_private_key(public_exponent=65537, key_size=2048)))


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority kept in one folder."""

    def __init__(self, folder: Path, name: str) -> None:
        """Make the authority's own certificate, `<name>.crt`."""
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        self._certificate = (
            self._builder(subject, subject, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.pair = self._write(name, self._certificate, self._key)

    def server(self, name: str, valid: datetime.timedelta = VALID, addresses: Sequence[str] = ()) -> Pair:
        """Issue a certificate for servers on loopback and more addresses; etcd shows it to peers as a client too."""
        names = [x509.DNSName(value) for value in SERVER_NAMES]
        known = [x509.IPAddress(ipaddress.ip_address(value)) for value in (*SERVER_ADDRESSES, *addresses)]
        return self._issue(
            name,
            name,
            (),
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
            [*names, *known],
            valid,
        )

    def client(self, name: str, user: str, groups: Sequence[str] = ()) -> Pair:
        """Issue a client certificate: Kubernetes takes the user from CN and the groups from O."""
        return self._issue(name, user, groups, [ExtendedKeyUsageOID.CLIENT_AUTH], [])

    def _issue(
        self,
        name: str,
        user: str,
        groups: Sequence[str],
        usages: Sequence[x509.ObjectIdentifier],
        names: Sequence[x509.GeneralName],
        valid: datetime.timedelta = VALID,
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups),
                x509.NameAttribute(NameOID.COMMON_NAME, user),
            ]
        )
        builder = (
            self._builder(subject, self._certificate.subject, key, valid)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return self._write(name, builder.sign(self._key, hashes.SHA256()), key)

    @staticmethod
    def _builder(
        subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, valid: datetime.timedelta = VALID
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACK_DATED)
            .not_valid_after(now + valid)
        )

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
        path = self._folder / f"{name}.crt"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return Pair(path, write_private(self._folder / f"{name}.key", _pem_key(key)))


def kubeconfig(path: Path, server: str, authority: Path, user: str, credential: Pair | str) -> Path:
    """Write a kubeconfig with everything inside; the credential is a client certificate or a token."""
    if isinstance(credential, Pair):
        login = {
            "client-certificate-data": _base64(credential.certificate),
            "client-key-data": _base64(credential.key),
        }
    else:
        login = {"token": credential}
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "control-plane",
                "cluster": {"server": server, "certificate-authority-data": _base64(authority)},
            }
        ],
        "users": [{"name": user, "user": login}],
        "contexts": [{"name": "control-plane", "context": {"cluster": "control-plane", "user": user}}],
        "current-context": "control-plane",
    }
    return write_private(path, yaml.safe_dump(content, sort_keys=False).encode())


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")

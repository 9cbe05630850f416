# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority of the databases' own, and the certificates that it gives to their hosts."""

from __future__ import annotations

import ipaddress
import os
import tempfile
import typing as t
from collections.abc import Callable, Sequence

#: openssl with these arguments: exit code and output.
Run = Callable[[Sequence[str]], "tuple[int, str]"]
_CA_DAYS = 7300


class CertificateError(Exception):
    """openssl cannot do what is asked."""


class Authority:
    """The files of a folder: C(ca.key), C(ca.crt), C(host.key) and C(host.crt)."""

    def __init__(self, run: Run, folder: str) -> None:
        self._run, self._folder = run, folder

    def path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def has_ca(self) -> bool:
        return all(os.path.exists(self.path(name)) for name in ("ca.key", "ca.crt"))

    def make_ca(self, name: str) -> None:
        """A new authority; only where there is none."""
        self._openssl(
            *("req", "-x509", "-new", "-nodes", "-sha256", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-days", str(_CA_DAYS), "-subj", f"/CN={name}", "-keyout", self.path("ca.key")),
            *("-out", self.path("ca.crt"), "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )

    def lacking(self, names: Sequence[str], renew_days: int) -> str:
        """Why the host needs another certificate; empty when it does not."""
        key, certificate = self.path("host.key"), self.path("host.crt")
        if not os.path.exists(key) or not os.path.exists(certificate):
            return "there is none"
        if self._run(["verify", "-CAfile", self.path("ca.crt"), certificate])[0]:
            return "it was not given by this authority, or has expired"
        if self._run(["x509", "-in", certificate, "-noout", "-checkend", str(renew_days * 86400)])[0]:
            return f"it expires within {renew_days} days"
        text = self._openssl("x509", "-in", certificate, "-noout", "-ext", "subjectAltName")
        has = {part.strip().replace("IP Address:", "IP:") for part in text.splitlines()[-1].split(",")}
        if has != {self._openssl_name(name) for name in names}:
            return "it names others than wanted"
        public = [
            self._openssl("x509", "-in", certificate, "-noout", "-pubkey"),
            self._openssl("pkey", "-in", key, "-pubout"),
        ]
        return "" if public[0] == public[1] else "the key is another one"

    def issue(self, names: Sequence[str], days: int) -> None:
        """A new key and certificate of the host, each replaced whole."""
        with tempfile.TemporaryDirectory(dir=self._folder) as work:
            key, request, made = (os.path.join(work, name) for name in ("host.key", "host.csr", "host.crt"))
            self._openssl(
                *("req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
                *("-subj", f"/CN={_bare(names[0])}", "-keyout", key, "-out", request),
            )
            extensions = os.path.join(work, "extensions")
            with open(extensions, "w", encoding="ascii") as handle:
                handle.write(
                    "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                    f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName={','.join(names)}\n"
                )
            self._openssl(
                *("x509", "-req", "-sha256", "-in", request, "-CA", self.path("ca.crt"), "-CAkey", self.path("ca.key")),
                *("-CAcreateserial", "-CAserial", os.path.join(work, "serial")),
                *("-days", str(days), "-extfile", extensions, "-out", made),
            )
            os.replace(key, self.path("host.key"))
            os.replace(made, self.path("host.crt"))

    def _openssl(self, *arguments: str) -> str:
        code, text = self._run(arguments)
        if code:
            raise CertificateError(f"openssl {arguments[0]} failed: {text.strip()}")
        return text.strip()

    @staticmethod
    def _openssl_name(name: str) -> str:
        """A name as openssl prints it."""
        kind, value = name.split(":", 1)
        if kind == "IP" and ":" in value:
            groups = ipaddress.ip_address(value).exploded.split(":")
            value = ":".join(f"{int(group, 16):X}" for group in groups)
        return f"{kind}:{value}"


def alternative_names(names: t.Iterable[str]) -> list[str]:
    """Names and addresses as in a certificate."""
    found = []
    for name in names:
        try:
            ipaddress.ip_address(name)
            found.append(f"IP:{name}")
        except ValueError:
            found.append(f"DNS:{name}")
    return list(dict.fromkeys(found))


def _bare(name: str) -> str:
    return name.split(":", 1)[1]

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrator's login with a certificate that soon ends, in the place of kubeadm's, which lives for a year.

Private to the collection.
"""

from __future__ import annotations

import base64
import datetime
import typing as t

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import YamlError, load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._libraries import load as library
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import certificate
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import emit

x509 = library("cryptography.x509")
ec = library("cryptography.hazmat.primitives.asymmetric.ec")
hashes = library("cryptography.hazmat.primitives.hashes")
serialization = library("cryptography.hazmat.primitives.serialization")

_DATA, _KEY = "client-certificate-data", "client-key-data"


def owner(text: str) -> str:
    """Who logs in with a kubeconfig; nothing when it cannot be told."""
    try:
        return str(load(text)["users"][0]["name"])
    except (YamlError, KeyError, TypeError, IndexError):
        return ""


def ends(text: str) -> datetime.datetime | None:
    """When the certificate in a kubeconfig ends; None when there is none."""
    found = _certificate(_config(text))
    if found is None:
        return None
    # the aware name is only in newer versions of the library
    end: datetime.datetime = getattr(found, "not_valid_after_utc", None) or found.not_valid_after
    return end.replace(tzinfo=datetime.timezone.utc)


def same_way(text: str, other: str) -> bool:
    """Whether two kubeconfigs lead to the same server, which shows the same authority."""
    one, two = _config(text), _config(other)
    return bool(one) and bool(two) and one.get("clusters") == two.get("clusters")


def shorten(text: str, hours: int) -> str:
    """The kubeconfig with a certificate for the same administrator, and a key of its own, that ends after I(hours).

    @raises LiveError: the cluster gives none.
    """
    config = _config(text)
    known = _certificate(config)
    if known is None:
        raise LiveError("the administrator's kubeconfig", "it holds no client certificate.")
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(known.subject).sign(key, hashes.SHA256())
    with Session.open(Access(kubeconfig=config), patience=20.0, timeout=10.0) as session:
        signed = certificate.sign(session, request.public_bytes(serialization.Encoding.PEM), hours * 3600)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    config["users"][0]["user"] = {
        _DATA: base64.b64encode(signed).decode(),
        _KEY: base64.b64encode(private).decode(),
    }
    return emit.render([config], "Kubespray's admin.conf, with a certificate of the cluster").decode()


def _config(text: str) -> dict[str, t.Any]:
    try:
        found = load(text)
    except YamlError:
        return {}
    return dict(found) if isinstance(found, dict) else {}


def _certificate(config: dict[str, t.Any]) -> t.Any:
    try:
        data = base64.b64decode(config["users"][0]["user"][_DATA])
        return x509.load_pem_x509_certificate(data)
    except (KeyError, TypeError, IndexError, ValueError):
        return None

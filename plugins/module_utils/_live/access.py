# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a cluster and who to be there. Options and environment variables have the names of kubernetes.core."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from .errors import LiveError

#: The argument specification of the options; the doc fragment C(kubernetes_auth) documents them.
ARGUMENTS: dict[str, t.Any] = {
    "kubeconfig": {"type": "raw"},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "client_cert": {"type": "path", "aliases": ["cert_file"]},
    "client_key": {"type": "path", "aliases": ["key_file"]},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "proxy_headers": {
        "type": "dict",
        "options": {
            "basic_auth": {"type": "str", "no_log": True},
            "proxy_basic_auth": {"type": "str", "no_log": True},
            "user_agent": {"type": "str"},
        },
    },
    "persist_config": {"type": "bool"},
    "impersonate_user": {"type": "str"},
    "impersonate_groups": {"type": "list", "elements": "str"},
}
_ALIASES = {
    "validate_certs": "VERIFY_SSL",
    "ca_cert": "SSL_CA_CERT",
    "client_cert": "CERT_FILE",
    "client_key": "KEY_FILE",
}
#: What the environment may say of every cluster of a run; the rest would send all of them to one, and as one identity.
_OF_ANY_CLUSTER = ("proxy", "no_proxy", "proxy_headers", "persist_config")
_TRUE, _FALSE = ("1", "true", "yes", "on", "y", "t"), ("0", "false", "no", "off", "n", "f")


@dataclass(frozen=True)
class Access:
    """The way to a cluster. Unset parts come from the kubeconfig; without any, from the pod that this runs in.

    @param kubeconfig: a path, several separated by colons, or the content as a dict.
    """

    kubeconfig: str | Mapping[str, t.Any] | None = None
    context: str | None = None
    host: str | None = None
    api_key: str | None = None
    username: str | None = None
    password: str | None = None
    validate_certs: bool | None = None
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    no_proxy: str | None = None
    proxy_headers: Mapping[str, t.Any] | None = None
    persist_config: bool | None = None
    impersonate_user: str | None = None
    impersonate_groups: Iterable[str] | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, t.Any], cluster_kubeconfig: str | None = None) -> Access:
        """From the options of a task, then the kubeconfig of the inventory, then the environment.

        The environment is the same for every cluster of a run. So as soon as the task or the inventory names a cluster,
        nothing of it counts but what concerns proxies and files.

        @raises LiveError: an environment variable cannot be used.
        """
        given = {f.name: arguments.get(f.name) for f in fields(cls)}
        if cluster_kubeconfig and given["kubeconfig"] is None and given["host"] is None:
            given["kubeconfig"] = cluster_kubeconfig
        is_named = given["kubeconfig"] is not None or given["host"] is not None
        for name, value in given.items():
            if value is None and (not is_named or name in _OF_ANY_CLUSTER):
                given[name] = _from_environment(name)
        if isinstance(given["kubeconfig"], str):
            given["kubeconfig"] = os.pathsep.join(
                str(Path(part).expanduser()) for part in given["kubeconfig"].split(os.pathsep)
            )
        return cls(**given)

    @property
    def is_given(self) -> bool:
        """Whether it names a cluster at all."""
        return self.kubeconfig is not None or self.host is not None

    def __repr__(self) -> str:
        """Without what is secret."""
        return f"Access(host={self.host!r}, context={self.context!r})"


def _from_environment(name: str) -> t.Any:
    texts = (os.environ.get(f"K8S_AUTH_{part}") for part in (_ALIASES.get(name, name.upper()), name.upper()))
    text = next((each for each in texts if each), None)
    if name == "proxy_headers":
        parts = ARGUMENTS[name]["options"]
        found = {part: os.environ.get(f"K8S_AUTH_PROXY_HEADERS_{part.upper()}") for part in parts}
        return {part: value for part, value in found.items() if value} or None
    if text is None:
        return None
    kind = ARGUMENTS[name]["type"]
    if kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "bool":
        if text.lower() not in (*_TRUE, *_FALSE):
            raise LiveError(f"K8S_AUTH_{name.upper()}", f"{text!r} is neither true nor false.", "Write true or false.")
        return text.lower() in _TRUE
    return text

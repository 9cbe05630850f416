# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login at a cluster: its address, its connection pool, its headers. Made by the library kubernetes."""

from __future__ import annotations

import base64
import datetime
import json
import os
import threading
import typing as t
from collections.abc import Mapping
from pathlib import Path

from .._libraries import load
from .access import Access
from .errors import LiveError
from .kubeconfig import acting_as, heard, hushed

kubernetes = load("kubernetes")
urllib3 = load("urllib3")

USER_AGENT = "k8s.self_provisioning"
_IN_POD = "KUBERNETES_SERVICE_HOST"


class Login:
    """@raises LiveError: the configuration cannot be used."""

    def __init__(self, access: Access, parallel: int) -> None:
        self._lock = threading.Lock()
        self._configuration = configuration = kubernetes.client.Configuration()
        where = _where(access)
        try:
            with heard() as told:
                _load(access, configuration, where)
            others = _acting_as(access, where)
        except (OSError, kubernetes.config.ConfigException) as error:
            raise LiveError(where, f"it cannot be used: {hushed(error)}.") from None
        except LiveError:
            raise
        except Exception as error:
            # a damaged kubeconfig makes the library raise whatever its parsers raise
            raise LiveError(
                where, f"it cannot be read ({type(error).__name__}).", "Check that it is a kubeconfig."
            ) from None
        _override(access, configuration)
        configuration.connection_pool_maxsize = parallel
        configuration.retries = False
        self.host = str(configuration.host).rstrip("/")
        if told and not configuration.api_key and not configuration.cert_file:
            raise LiveError(where, f"its program for logging in failed: {told[-1]}.", "Run it by hand.")
        if not self.host.startswith(("https://", "http://")):
            self.host = f"https://{self.host}"
        try:
            self.pool = kubernetes.client.rest.RESTClientObject(configuration).pool_manager
        except OSError as error:
            raise LiveError(where, f"a certificate or key cannot be read: {error}.") from None
        self._fixed = urllib3.HTTPHeaderDict({"User-Agent": USER_AGENT, "Accept": "application/json"})
        for key, value in others:
            self._fixed.add(key, value)

    def headers(self) -> t.Any:
        """The headers of a request; a token is read or fetched anew when it is due."""
        headers = self._fixed.copy()
        with self._lock, heard():
            for setting in self._configuration.auth_settings().values():
                if setting["in"] == "header" and setting["value"]:
                    headers[setting["key"]] = setting["value"]
        return headers

    def endpoint(self) -> dict[str, t.Any]:
        """The way to the API server without who to be there, as a kubeconfig tells it."""
        configuration = self._configuration
        found: dict[str, t.Any] = {"server": self.host}
        if configuration.ssl_ca_cert:
            data = Path(configuration.ssl_ca_cert).read_bytes()
            found["certificate-authority-data"] = base64.b64encode(data).decode("ascii")
        for key, value in (
            ("insecure-skip-tls-verify", not configuration.verify_ssl),
            ("tls-server-name", configuration.tls_server_name),
            ("proxy-url", configuration.proxy),
        ):
            if value:
                found[key] = value
        return found

    def expired(self) -> str:
        """Since when its token is no longer valid, when it says so."""
        try:
            with self._lock:
                token = next(iter(self._configuration.auth_settings().values()))["value"].split()[-1]
            part = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            until = datetime.datetime.fromtimestamp(claims["exp"], datetime.timezone.utc)
        except (StopIteration, KeyError, IndexError, ValueError, AttributeError, TypeError):
            return ""
        return until.strftime("%Y-%m-%d %H:%M:%S UTC") if until < datetime.datetime.now(datetime.timezone.utc) else ""

    def close(self) -> None:
        self.pool.clear()


def _where(access: Access) -> str:
    if isinstance(access.kubeconfig, str):
        return f"kubeconfig {access.kubeconfig}"
    return "the given kubeconfig" if access.kubeconfig is not None else access.host or "the way to the cluster"


def _load(access: Access, configuration: t.Any, where: str) -> None:
    options = {
        "context": access.context,
        "client_configuration": configuration,
        "persist_config": bool(access.persist_config),
    }
    config = kubernetes.config
    if isinstance(access.kubeconfig, Mapping):
        config.load_kube_config_from_dict(dict(access.kubeconfig), **options)
    elif access.kubeconfig is not None:
        paths = access.kubeconfig.split(os.pathsep)
        if not any(Path(path).is_file() for path in paths):
            raise LiveError(where, "there is no such file.", "Correct cluster_kubeconfig, or fetch the kubeconfig.")
        config.load_kube_config(config_file=access.kubeconfig, **options)
    elif access.host is not None:
        configuration.host = access.host
    elif os.environ.get(_IN_POD):
        config.load_incluster_config(client_configuration=configuration)
    else:
        config.load_kube_config(**options)


def _override(access: Access, configuration: t.Any) -> None:
    names = {
        "host": access.host,
        "verify_ssl": access.validate_certs,
        "ssl_ca_cert": access.ca_cert,
        "cert_file": access.client_cert,
        "key_file": access.client_key,
        "proxy": access.proxy,
        "no_proxy": access.no_proxy,
    }
    for name, value in names.items():
        if value is not None:
            setattr(configuration, name, value)
    if access.api_key or access.username:
        configuration.refresh_api_key_hook = None
        configuration.api_key.clear()
        configuration.api_key_prefix.clear()
        value = f"Bearer {access.api_key}" if access.api_key else _basic(access.username, access.password)
        configuration.api_key["authorization"] = value
    headers = {key: value for key, value in (access.proxy_headers or {}).items() if value}
    if headers:
        configuration.proxy_headers = urllib3.util.make_headers(**headers)
    if not configuration.verify_ssl:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def _basic(username: str | None, password: str | None) -> str:
    return t.cast(str, urllib3.util.make_headers(basic_auth=f"{username}:{password or ''}")["authorization"])


def _acting_as(access: Access, where: str) -> list[tuple[str, str]]:
    """The options of the task count as a whole before those of the kubeconfig."""
    given = [("Impersonate-User", access.impersonate_user)] if access.impersonate_user else []
    given += [("Impersonate-Group", group) for group in access.impersonate_groups or ()]
    if given or (access.kubeconfig is None and (access.host is not None or os.environ.get(_IN_POD))):
        return given
    config = access.kubeconfig
    return acting_as(
        kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION if config is None else config, access.context, where
    )

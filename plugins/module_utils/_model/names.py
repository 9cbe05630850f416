# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: what Kubernetes accepts, and how ours are put together."""

from __future__ import annotations

import re

from .errors import ModelError

#: RFC 1123 label, the form of namespaces, tenants, projects and environments.
LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
#: RFC 1123 subdomain.
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
#: A label key: an optional DNS prefix and a name.
LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"

#: A host name, one with a leading star, or a star alone.
HOSTNAME = r"^(\*|(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$"
#: The beginning of image names: a registry, and folders in it.
REGISTRY = r"^[A-Za-z0-9][-A-Za-z0-9.]*(:[0-9]+)?(/[A-Za-z0-9][-A-Za-z0-9._]*)*/?$"
#: The name of a port; without a letter it would be a number.
PORT_NAME = r"^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$"

MAX_LABEL = 63
TENANT_PREFIX = "tenant__"


def tenant_variable(tenant_id: str) -> str:
    """The inventory variable that declares a tenant: dashes become underscores."""
    return TENANT_PREFIX + tenant_id.replace("-", "_")


def namespace_name(tenant: str, project: str, environment: str) -> str:
    """C(<tenant>-<project>-<environment>).

    @raises ModelError: longer than the 63 characters of a DNS label.
    """
    name = f"{tenant}-{project}-{environment}"
    if len(name) > MAX_LABEL:
        raise ModelError(f"the namespace name {name!r} has {len(name)} characters; at most {MAX_LABEL} are allowed.")
    return name


_OUTSIDE = re.compile(r"[^A-Za-z0-9_.-]+")


def label_value(text: str) -> str:
    """Free text as a label value: other characters become dashes, cut to 63, trimmed to start and end well."""
    return _OUTSIDE.sub("-", text)[:MAX_LABEL].strip("-_.")

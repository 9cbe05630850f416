# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admission policies of a release line: the same on every cluster, with no tenant's data in them."""

from __future__ import annotations

from .._model.entities import Settings
from .common import Object
from .policies_content import content_policies
from .policies_isolation import isolation_policies


def policy_objects(settings: Settings, line: str) -> list[Object]:
    """ValidatingAdmissionPolicies and their bindings.

    @param line: the release line; what is checked follows what its Kubernetes can express.
    """
    policies = [*isolation_policies(settings), *content_policies(settings, line)]
    return [each for policy in policies for each in policy.objects(settings)]

#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of database hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_certificate
short_description: The certificate of a database host, from the databases' own authority
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Makes a certificate authority once, a secret once, and a key and certificate for the host when there is none, when
    it expires soon, or when its names have changed. Uses the command openssl.
  - The files are C(ca.key), C(ca.crt), C(secret), C(host.key) and C(host.crt). Only root reads the first and the third.
extends_documentation_fragment:
  - k8s.self_provisioning.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  folder:
    description:
      - Where the files are. It has to exist, except in check mode.
    type: path
    required: true
  state:
    description:
      - With V(authority), the authority and the secret; with V(certificate), the host's certificate.
    type: str
    choices: [authority, certificate]
    required: true
  authority:
    description:
      - Name of a new authority.
    type: str
    default: databases
  names:
    description:
      - Names and addresses of the host. The first is its own.
    type: list
    elements: str
    default: []
  days:
    description:
      - How long a new certificate is good.
    type: int
    default: 825
  renew_days:
    description:
      - How many days before its end a certificate is replaced.
    type: int
    default: 60
  group:
    description:
      - Group whose members may read the host's key.
    type: str
    default: root
"""

EXAMPLES = r"""
- name: Make the authority
  k8s.self_provisioning.postgresql_certificate:
    folder: /etc/databases
    state: authority

- name: Give the host a certificate
  k8s.self_provisioning.postgresql_certificate:
    folder: /etc/databases
    state: certificate
    names: [db1, 10.0.0.1]
    group: ssl-cert
"""

RETURN = r"""
reason:
  description: Why there is another certificate; empty when there is none.
  returned: always
  type: str
  sample: it expires within 60 days
"""

import grp
import os
import secrets

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql.certificates import (
    Authority,
    CertificateError,
    alternative_names,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["authority", "certificate"], "required": True},
            "authority": {"type": "str", "default": "databases"},
            "names": {"type": "list", "elements": "str", "default": []},
            "days": {"type": "int", "default": 825},
            "renew_days": {"type": "int", "default": 60},
            "group": {"type": "str", "default": "root"},
        },
        required_if=[("state", "certificate", ["names"])],
        supports_check_mode=True,
    )
    given = module.params
    os.umask(0o077)

    def run(arguments: object) -> tuple[int, str]:
        code, out, error = module.run_command(["openssl", *list(arguments)])  # type: ignore[call-overload]
        return code, out if code == 0 else error or out

    authority = Authority(run, given["folder"])
    try:
        reasons = (_authority if given["state"] == "authority" else _certificate)(module, authority)
    except (CertificateError, OSError) as error:
        module.fail_json(msg=str(error))
    reason = "; ".join(reasons)
    diff = {"before": "", "after": f"{given['folder']}: {reason}\n" if reason else ""}
    module.exit_json(changed=bool(reasons), reason=reason, diff=diff)


def _authority(module: AnsibleModule, authority: Authority) -> list[str]:
    reasons = []
    if not authority.has_ca():
        reasons.append("a new certificate authority")
        if not module.check_mode:
            authority.make_ca(module.params["authority"])
            os.chmod(authority.path("ca.crt"), 0o644)
    path = authority.path("secret")
    if not os.path.exists(path):
        reasons.append("a new secret")
        if not module.check_mode:
            with open(path, "x", encoding="ascii") as handle:
                handle.write(secrets.token_urlsafe(48) + "\n")
    return reasons


def _certificate(module: AnsibleModule, authority: Authority) -> list[str]:
    names = alternative_names(module.params["names"])
    reason = authority.lacking(names, module.params["renew_days"]) if authority.has_ca() else "there is none"
    if reason and not module.check_mode:
        authority.issue(names, module.params["days"])
    if os.path.exists(authority.path("host.key")):
        wanted = {"host.key": 0o640, "host.crt": 0o644}
        group = grp.getgrnam(module.params["group"]).gr_gid
        for name, mode in wanted.items():
            path = authority.path(name)
            now = os.stat(path)
            if (now.st_mode & 0o777, now.st_uid, now.st_gid) != (mode, 0, group):
                reason = reason or f"{name} was readable by others than meant"
                if not module.check_mode:
                    os.chown(path, 0, group)
                    os.chmod(path, mode)
    return [f"a new certificate of the host: {reason}"] if reason else []


if __name__ == "__main__":
    main()

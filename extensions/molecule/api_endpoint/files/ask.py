# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client gets from addresses: {address: [status, host that answered]}. Arguments: port, path, addresses."""

import http.client
import json
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
found = {}
for address in sys.argv[3:]:
    connection = http.client.HTTPSConnection(address, int(sys.argv[1]), timeout=3, context=context)
    try:
        connection.request("GET", sys.argv[2])
        answer = connection.getresponse()
        found[address] = [answer.status, answer.read().decode().strip()]
    except (OSError, http.client.HTTPException) as error:
        found[address] = [0, type(error).__name__]
print(json.dumps(found))

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tenants try in order to get more rights than they have, or to reach others."""

from __future__ import annotations

from .asked import (
    GOOD_IMAGE,
    MANAGED,
    RBAC,
    account,
    at,
    binding,
    config,
    ingress,
    pod,
    service,
    storage,
    thing,
    token_secret,
    workload,
)
from .attacks_flux import DELIVERY, FROZEN
from .delivered import APPLY, ICE, LAB, SHOP
from .governed import DOMAIN
from .tries import (
    ADMISSION,
    ALLOW_ALL,
    BINDINGS,
    DENY,
    EVIL,
    FLUX,
    FORCE,
    HELD,
    HOME,
    JSON_PATCH,
    LIMITS,
    LOWER,
    LOWERED,
    MERGE,
    NAMESPACES,
    NET,
    NO_RIGHT,
    OTHER,
    OURS,
    OWN,
    OWNERS,
    PARAMETERS,
    PODS,
    QUOTA,
    RECONCILER,
    RESERVED,
    REVIEW,
    ROLES,
    RUNS,
    SCALE,
    SOURCE,
    STRATEGIC,
    TOKEN,
    UNMANAGED,
    WEBHOOK,
    WIDE,
    Try,
    debug,
    labels,
    named,
    person,
    role,
    secured,
)

WALLS = [
    Try("raise the quota", "lead", "PATCH", QUOTA, {"spec": {"hard": {"pods": "999"}}}, NO_RIGHT, STRATEGIC),
    Try("replace the quota", "lead", "PUT", QUOTA, WIDE, NO_RIGHT),
    Try("apply the quota in our name", "lead", "PATCH", QUOTA + FORCE, WIDE, NO_RIGHT, APPLY),
    Try("reset what the quota counted", "lead", "PATCH", f"{QUOTA}/status", {"status": {}}, NO_RIGHT, MERGE),
    Try("delete the quota as Flux's account", "reconciler", "DELETE", QUOTA, None, NO_RIGHT),
    Try("add a quota", "lead", "POST", at("resourcequotas"), named(WIDE, "x"), NO_RIGHT),
    Try("take our label off the quota", "lead", "PATCH", QUOTA, UNMANAGED, NO_RIGHT, STRATEGIC),
    Try("delete the limits", "lead", "DELETE", LIMITS, None, NO_RIGHT),
    Try("empty the limits", "deployer", "PATCH", LIMITS, {"spec": {"limits": []}}, NO_RIGHT, MERGE),
    Try("delete a network policy", "lead", "DELETE", DENY, None, NO_RIGHT),
    Try("delete all network policies", "lead", "DELETE", at("networkpolicies", group=NET), None, NO_RIGHT),
    Try("open the network from Git", "reconciler", "POST", at("networkpolicies", group=NET), ALLOW_ALL, NO_RIGHT),
    Try("open a network policy", "developer", "PATCH", DENY, {"spec": {"ingress": [{}]}}, NO_RIGHT, STRATEGIC),
    Try("edit the allow-lists", "lead", "PATCH", PARAMETERS, {"data": {"registries": "x"}}, MANAGED, STRATEGIC),
    Try("replace the allow-lists", "lead", "PUT", PARAMETERS, EVIL, MANAGED),
    Try("apply the allow-lists in our name", "lead", "PATCH", PARAMETERS + FORCE, EVIL, MANAGED, APPLY),
    Try("delete the allow-lists from a pipeline", "deployer", "DELETE", PARAMETERS, None, MANAGED),
    Try("take our label off the allow-lists", "lead", "PATCH", PARAMETERS, UNMANAGED, MANAGED, STRATEGIC),
    Try(
        "remove a key with a JSON patch",
        "lead",
        "PATCH",
        PARAMETERS,
        [{"op": "remove", "path": "/data/registries"}],
        MANAGED,
        JSON_PATCH,
    ),
    Try(
        "hang the allow-lists on an object of one's own",
        "reconciler",
        "PATCH",
        PARAMETERS,
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": OWN, "uid": "1"}]}},
        MANAGED,
        MERGE,
    ),
    Try("make an object that looks like ours", "lead", "POST", at("configmaps"), config(**OURS), MANAGED),
    Try("make one's own object ours", "lead", "PATCH", at(f"configmaps/{OWN}"), labels(OURS), MANAGED, STRATEGIC),
    Try("take our label off the reconciler", "lead", "PATCH", RECONCILER, UNMANAGED, MANAGED, STRATEGIC),
    Try("delete the reconciler", "developer", "DELETE", RECONCILER, None, MANAGED),
    Try("point the delivery at another repository", "lead", "PATCH", at("gitrepositories/tenant", group=SOURCE),
        {"spec": {"url": "https://evil.example"}}, MANAGED, MERGE),
    Try("let the delivery apply something else", "lead", "PATCH", at("kustomizations/tenant", group=FLUX),
        {"spec": {"path": "./evil"}}, MANAGED, MERGE),
    Try("write the status of the delivery", "lead", "PATCH", at("kustomizations/tenant/status", group=FLUX),
        {"status": {"lastAppliedRevision": "x"}}, NO_RIGHT, MERGE),
]  # fmt: skip

NAMESPACE = [
    Try("lower Pod Security", "lead", "PATCH", HOME, LOWER, NO_RIGHT, STRATEGIC),
    Try("lower Pod Security by replacing", "reconciler", "PUT", HOME, LOWERED, NO_RIGHT),
    Try("lower Pod Security by applying in our name", "lead", "PATCH", HOME + FORCE, LOWERED, NO_RIGHT, APPLY),
    Try("lower Pod Security through status", "lead", "PATCH", f"{HOME}/status", LOWER, NO_RIGHT, STRATEGIC),
    Try("lower Pod Security through finalize", "lead", "PUT", f"{HOME}/finalize", LOWERED, NO_RIGHT),
    Try("move to another tenant", "lead", "PATCH", HOME, labels({f"{DOMAIN}/tenant": "chem"}), NO_RIGHT, STRATEGIC),
    Try("widen the roles that may be bound", "lead", "PATCH", HOME,
        {"metadata": {"annotations": {f"{DOMAIN}/cluster-roles": "cluster-admin"}}}, NO_RIGHT, STRATEGIC),
    Try("thaw a frozen environment", "lead", "PATCH", f"{NAMESPACES}/{ICE}", labels({f"{DOMAIN}/state": "active"}),
        NO_RIGHT, STRATEGIC),
    Try("delete the namespace", "lead", "DELETE", HOME, None, NO_RIGHT),
    Try("make a namespace", "lead", "POST", NAMESPACES, thing("v1", "Namespace", "mine"), NO_RIGHT),
    Try("make a namespace of one's tenant", "reconciler", "POST", NAMESPACES,
        thing("v1", "Namespace", "physics-lab-mine", {f"{DOMAIN}/tenant": "physics", **OURS}), NO_RIGHT),
    Try("delete another tenant's namespace", "lead", "DELETE", f"{NAMESPACES}/{SHOP}", None, NO_RIGHT),
]  # fmt: skip

RIGHTS = [
    Try("bind cluster-admin", "lead", "POST", BINDINGS, binding(account(), "cluster-admin"), HELD),
    Try("bind cluster-admin from Git", "reconciler", "POST", BINDINGS, binding(account(), "cluster-admin"), HELD),
    Try("bind admin to a user", "lead", "POST", BINDINGS, binding(person("User", "friend"), "admin"), HELD),
    Try("bind one's own role to a user", "lead", "POST", BINDINGS, binding(person("User", "friend"), "tenant-admin"),
        f"User friend is not a ServiceAccount of {LAB}"),
    Try("bind to a group", "reconciler", "POST", BINDINGS, binding(person("Group", "system:authenticated")),
        f"Group system:authenticated is not a ServiceAccount of {LAB}"),
    Try("bind to another tenant's account", "lead", "POST", BINDINGS, binding(account("x", SHOP), "tenant-admin"),
        f"ServiceAccount x is not a ServiceAccount of {LAB}"),
    Try("add oneself to a binding of ours", "lead", "PATCH", OWNERS, {"subjects": [account()]}, MANAGED, MERGE),
    Try("make a binding of ours one's own", "lead", "PATCH",
        at("rolebindings/tenant-editor-ci-deployer", group=ROLES), UNMANAGED, MANAGED, MERGE),
    Try("apply a binding of ours in our name", "lead", "PATCH", OWNERS + FORCE,
        named(binding(account(), "tenant-admin"), "tenant-admin-owners"), MANAGED, APPLY),
    Try("delete a binding of ours", "olga", "DELETE", at("rolebindings/tenant-admin-owners", SHOP, ROLES), None,
        MANAGED),
    Try("make an own binding wider", "lead", "PATCH", at(f"rolebindings/{OWN}", group=ROLES),
        {"subjects": [person("User", "friend")]}, "User friend is not a ServiceAccount", MERGE),
    *[
        Try(f"make a role that may {' '.join(verbs)} {resource}", who, "POST", at("roles", group=ROLES),
            role(group, resource, *verbs), HELD)
        for who, group, resource, verbs in (
            ("lead", "*", "*", ("*",)),
            ("lead", "", "resourcequotas", ("patch",)),
            ("lead", "networking.k8s.io", "networkpolicies", ("delete",)),
            ("lead", RBAC, "clusterroles", ("bind",)),
            ("lead", RBAC, "roles", ("escalate",)),
            ("lead", "", "serviceaccounts", ("impersonate",)),
            ("reconciler", "", "namespaces", ("patch",)),
            ("reconciler", "", "services/status", ("patch",)),
        )
    ],
    Try("make a role as a developer", "developer", "POST", at("roles", group=ROLES), role("", "pods", "get"), NO_RIGHT),
    Try("bind as a pipeline", "deployer", "POST", BINDINGS, binding(account()), NO_RIGHT),
    Try("bind as a viewer", "guest", "POST", BINDINGS, binding(account()), NO_RIGHT),
    Try("bind in another tenant's namespace", "lead", "POST", at("rolebindings", SHOP, ROLES),
        binding(account(), "tenant-admin"), NO_RIGHT),
    Try("make a ClusterRole", "lead", "POST", f"/apis/{ROLES}/clusterroles",
        role("", "pods", "get", kind="ClusterRole"), NO_RIGHT),
    Try("widen the role of viewers", "lead", "PATCH", f"/apis/{ROLES}/clusterroles/tenant-viewer", {"rules": []},
        NO_RIGHT, MERGE),
    Try("bind for the whole cluster", "reconciler", "POST", f"/apis/{ROLES}/clusterrolebindings",
        {**binding(account(), "tenant-viewer"), "kind": "ClusterRoleBinding"}, NO_RIGHT),
]  # fmt: skip

IDENTITIES = [
    *[
        Try(f"be somebody else: {value}", who, "GET", PODS, None, "cannot impersonate", headers=more)
        for who, value, more in (
            ("lead", "the administrator", (("Impersonate-User", "kubernetes-admin"),)),
            ("lead", "the provisioner", (("Impersonate-User", "system:serviceaccount:self-provisioning:provisioner"),)),
            ("developer", "the reconciler", (("Impersonate-User", f"system:serviceaccount:{LAB}:flux-reconciler"),)),
            ("lead", "system:masters", (("Impersonate-User", "lead"), ("Impersonate-Group", "system:masters"))),
            ("reconciler", "another tenant", (("Impersonate-User", "olga"),)),
        )
    ],
    Try("a token of the reconciler", "developer", "POST", f"{RECONCILER}/token", TOKEN, NO_RIGHT),
    Try("a token of the reconciler from a pipeline", "deployer", "POST", f"{RECONCILER}/token", TOKEN, NO_RIGHT),
    Try("a token of the reconciler, as an admin", "lead", "POST", f"{RECONCILER}/token", TOKEN, RESERVED),
    Try("a token of the reconciler by itself", "reconciler", "POST", f"{RECONCILER}/token", TOKEN, RESERVED),
    Try("a token of another tenant", "olga", "POST", f"{RECONCILER}/token", TOKEN, NO_RIGHT),
    Try("a token of the provisioner", "lead", "POST", at("serviceaccounts/provisioner/token", "self-provisioning"),
        TOKEN, NO_RIGHT),
    Try("a lasting token of the reconciler", "lead", "POST", at("secrets"), token_secret("flux-reconciler"), RESERVED),
    Try("the same later", "developer", "PATCH", at(f"secrets/{OWN}-token"),
        {"metadata": {"annotations": {"kubernetes.io/service-account.name": "flux-reconciler"}}},
        RESERVED, STRATEGIC),
    Try("run as the reconciler", "developer", "POST", PODS, pod(serviceAccountName="flux-reconciler"), RESERVED),
    Try("run a job as the reconciler", "deployer", "POST", at("jobs", group="batch/v1"),
        workload("Job", serviceAccountName="flux-reconciler"), RESERVED),
    Try("read secrets as a viewer", "guest", "GET", at("secrets"), None, NO_RIGHT),
    Try("read secrets as an auditor", "auditor", "GET", at("secrets"), None, NO_RIGHT),
    Try("enter pods as a viewer", "guest", "POST", at(f"pods/{RUNS}/exec?command=id"), None, NO_RIGHT),
    Try("change things as a viewer", "guest", "DELETE", at(f"pods/{RUNS}"), None, NO_RIGHT),
]  # fmt: skip

OTHERS = [
    Try("read another tenant's secrets", "lead", "GET", at("secrets", SHOP), None, NO_RIGHT),
    Try("read one secret of another tenant", "olga", "GET", at(f"secrets/{OWN}-token"), None, NO_RIGHT),
    Try("read everybody's secrets", "lead", "GET", "/api/v1/secrets", None, NO_RIGHT),
    Try("watch everybody's pods", "reconciler", "GET", "/api/v1/pods?watch=true", None, NO_RIGHT),
    Try("list all namespaces", "lead", "GET", NAMESPACES, None, NO_RIGHT),
    Try("look at another tenant's namespace", "olga", "GET", HOME, None, NO_RIGHT),
    Try("read another tenant's ConfigMaps", "olga", "GET", at("configmaps"), None, NO_RIGHT),
    Try("read another tenant's logs", "olga", "GET", at(f"pods/{RUNS}/log"), None, NO_RIGHT),
    Try("read the provisioner's facts", "lead", "GET", at("configmaps", "self-provisioning"), None, NO_RIGHT),
    Try("read Flux's secrets", "reconciler", "GET", at("secrets", "flux-system"), None, NO_RIGHT),
    Try("enter another tenant's pod", "olga", "POST", at(f"pods/{RUNS}/exec?command=id"), None, NO_RIGHT),
    Try("forward a port of another tenant", "olga", "POST", at(f"pods/{RUNS}/portforward"), None, NO_RIGHT),
    Try("reach another tenant through the API server", "olga", "GET", at("services/x/proxy/"), None, NO_RIGHT),
    Try("scale another tenant", "lead", "PATCH", at(f"deployments/{OTHER}/scale", SHOP, "apps/v1"), SCALE,
        NO_RIGHT, MERGE),
    Try("delete all of another tenant", "lead", "DELETE", at("pods", SHOP), None, NO_RIGHT),
    Try("run in another tenant's namespace", "reconciler", "POST", at("pods", SHOP), pod(), NO_RIGHT),
    Try("run in kube-system", "lead", "POST", at("pods", "kube-system"), pod(), NO_RIGHT),
    Try("apply in another tenant's namespace in our name", "lead", "PATCH",
        at("configmaps/self-provisioning-policy", SHOP) + FORCE, EVIL, NO_RIGHT, APPLY),
]  # fmt: skip

HOSTED = [
    *[
        Try(f"a pod with {name}", "lead", "POST", PODS, made, "violates PodSecurity")
        for name, made in (
            ("all privileges", secured(privileged=True)),
            ("SYS_ADMIN", secured(capabilities={"add": ["SYS_ADMIN"]})),
            ("files of the node", pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}])),
            ("the node's network", pod(hostNetwork=True)),
            ("the node's processes", pod(hostPID=True)),
            ("the node's memory", pod(hostIPC=True)),
        )
    ],
    Try("a privileged container into a running pod", "developer", "PATCH", at(f"pods/{RUNS}/ephemeralcontainers"),
        debug(securityContext={"privileged": True}), "violates PodSecurity", STRATEGIC),
    Try("a foreign image into a running pod", "developer", "PATCH", at(f"pods/{RUNS}/ephemeralcontainers"),
        debug(image="evil.example/x:1"), "evil.example/x:1: its registry is not allowed", STRATEGIC),
    Try("a foreign image", "deployer", "POST", PODS, pod("evil.example/x:1"), "its registry is not allowed"),
    Try("a foreign image from Git", "reconciler", "POST", at("deployments", group="apps/v1"),
        workload("Deployment", "evil.example/x:1"), "its registry is not allowed"),
    Try("a foreign image later", "developer", "PATCH", at(f"deployments/{OWN}", group="apps/v1"),
        {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "evil.example/x:1"}]}}}},
        "its registry is not allowed", STRATEGIC),
    Try("the tag latest", "lead", "POST", PODS, pod("registry.example.edu/physics/app:latest"), "other than latest"),
    Try("a workload that nobody pays for", "lead", "POST", PODS, pod(labels={}), "app.kubernetes.io/name are missing"),
    Try("a priority of others", "lead", "POST", PODS, pod(priorityClassName="other"), "priority class other is not"),
    Try("the priority of the system", "olga", "POST", at("pods", SHOP), pod(priorityClassName="system-node-critical"),
        "system-node-critical is not allowed"),
    Try("more than the quota", "lead", "POST", PODS,
        {**pod(), "spec": {"containers": [{"name": "main", "image": GOOD_IMAGE, "resources": {
            "requests": {"cpu": "5"}, "limits": {"cpu": "5"}}}]}}, "exceeded quota"),
    *[
        Try(f"mount {name} by its address", who, "POST", path, made, f"volumes of type {name} are not allowed in {LAB}")
        for who, name, path, made in (
            ("lead", "nfs", PODS, pod(volumes=[{"name": "v", "nfs": {"server": "10.0.0.9", "path": "/chem"}}])),
            ("developer", "iscsi", PODS, pod(volumes=[
                {"name": "v", "iscsi": {"targetPortal": "10.0.0.9", "iqn": "iqn.2001-04.com.example:x", "lun": 0}}])),
            ("reconciler", "nfs", at("cronjobs", group="batch/v1"), workload("CronJob", volumes=[
                {"name": "v", "nfs": {"server": "10.0.0.9", "path": "/chem"}}])),
        )
    ],
    Try("a storage class of others", "lead", "POST", at("persistentvolumeclaims"), storage("rbd"), "exceeded quota"),
    Try("choose the node of a pod", "lead", "POST", at(f"pods/{RUNS}/binding"),
        thing("v1", "Binding", RUNS, target={"kind": "Node", "name": "x"}), NO_RIGHT),
    Try("write the status of a pod", "lead", "PATCH", at(f"pods/{RUNS}/status"), {"status": {"podIP": "10.0.0.9"}},
        NO_RIGHT, STRATEGIC),
]  # fmt: skip

TRAFFIC = [
    Try("another tenant's host name", "lead", "POST", at("ingresses", group=NET), ingress("shop.chem.example.edu"),
        "host name shop.chem.example.edu is not allowed"),
    Try("every host name", "reconciler", "POST", at("ingresses", group=NET), ingress(""), "which means every host"),
    Try("another ingress class", "lead", "POST", at("ingresses", group=NET), ingress(cls="public"),
        "ingress class public is not allowed"),
    Try("configure the ingress controller", "lead", "POST", at("ingresses", group=NET),
        ingress(configuration_snippet="return 200;"), "configuration-snippet is not allowed"),
    Try("another tenant's secret for one's ingress", "lead", "POST", at("ingresses", group=NET),
        ingress(auth_tls_secret=f"{SHOP}/ca"), "names an object of another namespace"),
    Try("a name of another tenant, where no type is prescribed", "olga", "POST", at("services", SHOP),
        thing("v1", "Service", spec={"type": "ExternalName", "externalName": f"x.{LAB}.svc.cluster.local"}),
        "type ExternalName is not allowed"),
    Try("a port of every node", "lead", "POST", at("services"), service("NodePort"), "type NodePort is not allowed"),
    Try("an address of the load balancer", "deployer", "POST", at("services"), service("LoadBalancer"),
        "type LoadBalancer is not allowed"),
    Try("a name of another tenant", "lead", "POST", at("services"),
        thing("v1", "Service", spec={"type": "ExternalName", "externalName": f"x.{SHOP}.svc.cluster.local"}),
        "type ExternalName is not allowed"),
    Try("foreign addresses", "olga", "POST", at("services", SHOP), service(externalIPs=["192.0.2.1"]),
        "externalIPs are not allowed"),
    Try("foreign addresses later", "lead", "PATCH", at(f"services/{OWN}"), {"spec": {"externalIPs": ["192.0.2.1"]}},
        "externalIPs are not allowed", STRATEGIC),
    Try("foreign addresses through status", "lead", "PATCH", at(f"services/{OWN}/status"),
        {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}, NO_RIGHT, STRATEGIC),
    Try("point a Service at another tenant's pods", "lead", "POST", at("endpoints"),
        thing("v1", "Endpoints", OWN, subsets=[{"addresses": [{"ip": "10.0.0.9"}], "ports": [{"port": 80}]}]),
        NO_RIGHT),
    Try("the same with slices", "reconciler", "POST", at("endpointslices", group="discovery.k8s.io/v1"),
        thing("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", endpoints=[]), NO_RIGHT),
    Try("one's own pool of addresses", "lead", "POST", at("ipaddresspools", group="metallb.io/v1beta1"),
        thing("metallb.io/v1beta1", "IPAddressPool", spec={"addresses": ["192.0.2.0/24"]}), NO_RIGHT),
]  # fmt: skip

_POLICY = {"spec": {"validations": [{"expression": "true"}]}}
CLUSTER_WIDE = [
    Try(f"make a {kind}", "lead" if number % 2 else "reconciler", "POST", path, thing(api, kind, **body), NO_RIGHT)
    for number, (path, api, kind, body) in enumerate(
        (
            (f"/apis/{ADMISSION}/validatingadmissionpolicies", ADMISSION, "ValidatingAdmissionPolicy", _POLICY),
            (f"/apis/{ADMISSION}/validatingadmissionpolicybindings", ADMISSION, "ValidatingAdmissionPolicyBinding",
             {"spec": {"policyName": "x", "validationActions": ["Audit"]}}),
            (f"/apis/{ADMISSION}/mutatingwebhookconfigurations", ADMISSION, "MutatingWebhookConfiguration",
             {"webhooks": [WEBHOOK]}),
            (f"/apis/{ADMISSION}/validatingwebhookconfigurations", ADMISSION, "ValidatingWebhookConfiguration",
             {"webhooks": [WEBHOOK]}),
            ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "apiextensions.k8s.io/v1",
             "CustomResourceDefinition", {}),
            ("/api/v1/persistentvolumes", "v1", "PersistentVolume",
             {"spec": {"hostPath": {"path": "/"}, "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}}),
            ("/api/v1/nodes", "v1", "Node", {}),
            ("/apis/certificates.k8s.io/v1/certificatesigningrequests", "certificates.k8s.io/v1",
             "CertificateSigningRequest",
             {"spec": {"request": "", "signerName": "kubernetes.io/kube-apiserver-client"}}),
            ("/apis/apiregistration.k8s.io/v1/apiservices", "apiregistration.k8s.io/v1", "APIService", {}),
            ("/apis/scheduling.k8s.io/v1/priorityclasses", "scheduling.k8s.io/v1", "PriorityClass", {"value": 9}),
            ("/apis/storage.k8s.io/v1/storageclasses", "storage.k8s.io/v1", "StorageClass", {"provisioner": "x"}),
            (f"/apis/{NET}/ingressclasses", NET, "IngressClass", {}),
            ("/apis/authorization.k8s.io/v1/subjectaccessreviews", "authorization.k8s.io/v1", "SubjectAccessReview",
             {"spec": REVIEW}),
        )
    )
] + [
    Try("stop a policy of ours", "lead", "DELETE",
        f"/apis/{ADMISSION}/validatingadmissionpolicies/self-provisioning-images", None, NO_RIGHT),
    Try("soften a policy of ours", "reconciler", "PATCH",
        f"/apis/{ADMISSION}/validatingadmissionpolicybindings/self-provisioning-images",
        {"spec": {"validationActions": ["Audit"]}}, NO_RIGHT, MERGE),
    Try("read a node through the API server", "lead", "GET", "/api/v1/nodes/x/proxy/pods", None, NO_RIGHT),
]  # fmt: skip

#: They take away what is the tenant's own before they come to something of ours, so they come last.
COLLECTIONS = [
    Try("delete all ConfigMaps", "lead", "DELETE", at("configmaps"), None, MANAGED),
    Try("delete all bindings", "reconciler", "DELETE", BINDINGS, None, MANAGED),
    Try("delete all accounts", "developer", "DELETE", at("serviceaccounts"), None, MANAGED),
    Try("delete all repositories", "lead", "DELETE", at("gitrepositories", group=SOURCE), None, MANAGED),
]

ATTACKS = [
    *WALLS, *NAMESPACE, *RIGHTS, *IDENTITIES, *OTHERS, *HOSTED, *TRAFFIC, *CLUSTER_WIDE, *DELIVERY, *FROZEN,
    *COLLECTIONS,
]  # fmt: skip

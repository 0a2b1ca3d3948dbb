"""kubectl, as an operator types it."""

from __future__ import annotations

import json
import re

import pytest

from tests.contract import manifests
from tests.contract.acting import add_node, kubelet, make_ready, ready_status, set_status
from tests.contract.api import Api, Object, path
from tests.contract.kubectl import Kubectl

pytestmark = pytest.mark.real("kubectl")


@pytest.fixture
def web(api: Api, namespace: str, name: str) -> str:
    """A Deployment of one pod, which is not ready."""
    api.make("deployments", namespace, manifests.deployment(name))
    api.until(path("deployments", namespace), name, lambda it: it["status"].get("replicas") == 1)
    return name


@pytest.fixture
def rolled_out(api: Api, namespace: str, name: str) -> str:
    """A Deployment with two revisions, both of which got ready."""
    with kubelet(api, namespace):
        api.make("deployments", namespace, manifests.deployment(name))
        api.until(path("deployments", namespace), name, lambda it: _is_at(it, 1))
        image = {"containers": [{"name": "main", "image": "app:2"}]}
        patch = {"spec": {"template": {"spec": image}}}
        api.patch(path("deployments", namespace, name), patch, "strategic").object()
        api.until(path("deployments", namespace), name, lambda it: _is_at(it, 2))
    return name


def _is_at(thing: Object, revision: int) -> bool:
    status = thing["status"]
    annotations = thing["metadata"].get("annotations", {})
    return bool(
        annotations.get("deployment.kubernetes.io/revision") == str(revision)
        and status.get("updatedReplicas") == status.get("replicas") == 1
        and status.get("availableReplicas") == 1
    )


def test_get_prints_a_table(api: Api, namespace: str, name: str, kubectl: Kubectl) -> None:
    api.make("pods", namespace, manifests.pod(name))
    make_ready(api, namespace, name)

    lines = kubectl("get", "pod", name).out.splitlines()

    assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert lines[1].split()[:4] == [name, "1/1", "Running", "0"]


def test_get_tells_how_often_and_how_long_ago_a_container_was_restarted(
    api: Api, namespace: str, name: str, kubectl: Kubectl
) -> None:
    api.make("pods", namespace, manifests.pod(name))
    ended = {
        "exitCode": 1, "reason": "Error",
        "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-02T00:00:00Z",
    }  # fmt: skip
    status = ready_status()
    status["containerStatuses"][0] |= {"restartCount": 3, "lastState": {"terminated": ended}}
    set_status(api, namespace, name, status)

    line = kubectl("get", "pod", name).out.splitlines()[1]

    assert re.search(r"\s3 \(\d+d ago\)\s", line), line


def test_get_of_a_deployment_counts_replicas(web: str, kubectl: Kubectl) -> None:
    lines = kubectl("get", "deployment", web).out.splitlines()

    assert lines[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert lines[1].split()[:4] == [web, "0/1", "1", "0"]


def test_get_wide_tells_images_and_nodes(web: str, kubectl: Kubectl) -> None:
    said = kubectl("get", "deployment", web, "-o", "wide").out

    assert "IMAGES" in said
    assert "app:1" in said


def test_get_prints_json(web: str, kubectl: Kubectl) -> None:
    thing = kubectl("get", "deploy", web, "-o", "json").json

    assert (thing["kind"], thing["metadata"]["name"]) == ("Deployment", web)
    assert "managedFields" not in thing["metadata"]


def test_get_takes_selectors_and_paths(
    api: Api, namespace: str, name: str, kubectl: Kubectl
) -> None:
    body = manifests.config_map(name, key=name)
    body["metadata"]["labels"] = {"mine": name}
    api.make("configmaps", namespace, body)

    said = kubectl("get", "cm", "-l", f"mine={name}", "-o", "jsonpath={.items[*].data.key}")

    assert said.out == name


def test_get_of_nothing_says_so(namespace: str, kubectl: Kubectl) -> None:
    said = kubectl("get", "leases", "-l", "none=here")

    assert said.err.strip() == f"No resources found in {namespace} namespace."


def test_get_of_what_is_not_there_fails_in_the_words_of_the_server(kubectl: Kubectl) -> None:
    said = kubectl.try_to("get", "pod", "absent")

    assert said.code == 1
    assert said.err.strip() == 'Error from server (NotFound): pods "absent" not found'


def test_a_reader_is_refused_in_the_words_of_the_server(namespace: str, kubectl: Kubectl) -> None:
    said = kubectl.try_to("--context", "reader", "delete", "pod", "web")

    assert said.code == 1
    assert said.err.startswith(
        'Error from server (Forbidden): pods "web" is forbidden: User "reader" cannot'
    )


def test_describe_tells_of_a_pod_and_its_events(
    api: Api, namespace: str, name: str, kubectl: Kubectl
) -> None:
    pod = api.make("pods", namespace, manifests.pod(name))
    body = manifests.core_event(f"{name}-event", namespace)
    body["involvedObject"] |= {"name": name, "uid": pod["metadata"]["uid"]}
    api.make("events", namespace, body)

    said = kubectl("describe", "pod", name).out

    assert "Image:" in said
    assert "Stopping container main" in said


def test_describe_tells_of_a_deployment_and_its_sets(web: str, kubectl: Kubectl) -> None:
    said = kubectl("describe", "deployment", web).out

    assert "1 desired | 1 updated | 1 total | 0 available | 1 unavailable" in said
    assert "NewReplicaSet:" in said


def test_create_and_delete_say_what_they_did(name: str, kubectl: Kubectl) -> None:
    created = kubectl("create", "configmap", name, "--from-literal=a=b")
    deleted = kubectl("delete", "configmap", name)

    assert created.out.strip() == f"configmap/{name} created"
    assert deleted.out.startswith(f'configmap "{name}" deleted')


def test_delete_waits_until_it_is_gone(
    api: Api, namespace: str, web: str, kubectl: Kubectl
) -> None:
    kubectl("delete", "deployment", web, "--cascade=foreground")

    assert api.get(path("deployments", namespace, web)).status == 404
    pods = api.get(path("pods", namespace), labelSelector=f"app={web}").object()["items"]
    assert pods == []


def test_scale_changes_the_replicas(api: Api, namespace: str, web: str, kubectl: Kubectl) -> None:
    said = kubectl("scale", "deployment", web, "--replicas=3", "--current-replicas=1")

    assert said.out.strip() == f"deployment.apps/{web} scaled"
    assert api.get(path("deployments", namespace, web)).object()["spec"]["replicas"] == 3


def test_set_image_changes_the_template(
    api: Api, namespace: str, web: str, kubectl: Kubectl
) -> None:
    kubectl("set", "image", f"deployment/{web}", "main=app:9")

    template = api.get(path("deployments", namespace, web)).object()["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "app:9"


def test_set_resources_changes_requests(
    api: Api, namespace: str, web: str, kubectl: Kubectl
) -> None:
    kubectl("set", "resources", f"deployment/{web}", "--requests=cpu=250m", "--limits=memory=1Gi")

    template = api.get(path("deployments", namespace, web)).object()["spec"]["template"]
    resources = template["spec"]["containers"][0]["resources"]
    assert resources == {"requests": {"cpu": "250m"}, "limits": {"memory": "1Gi"}}


def test_rollout_status_waits_until_it_is_done(
    api: Api, namespace: str, web: str, kubectl: Kubectl
) -> None:
    with kubelet(api, namespace):
        said = kubectl("rollout", "status", f"deployment/{web}", "--timeout=60s")

    assert f'deployment "{web}" successfully rolled out' in said.out


def test_rollout_status_fails_when_its_time_is_over(web: str, kubectl: Kubectl) -> None:
    said = kubectl.try_to("rollout", "status", f"deployment/{web}", "--timeout=1s")

    assert said.code == 1
    assert "0 of 1 updated replicas are available" in said.out
    assert "timed out waiting for the condition" in said.err


def test_rollout_history_lists_revisions(rolled_out: str, kubectl: Kubectl) -> None:
    said = kubectl("rollout", "history", f"deployment/{rolled_out}").out

    assert [line.split()[0] for line in said.splitlines()[2:4]] == ["1", "2"]


def test_rollout_undo_brings_the_template_of_before_back(
    api: Api, namespace: str, rolled_out: str, kubectl: Kubectl
) -> None:
    said = kubectl("rollout", "undo", f"deployment/{rolled_out}")

    template = api.get(path("deployments", namespace, rolled_out)).object()["spec"]["template"]
    assert said.out.strip() == f"deployment.apps/{rolled_out} rolled back"
    assert template["spec"]["containers"][0]["image"] == "app:1"


def test_rollout_restart_and_pause_and_resume(
    api: Api, namespace: str, web: str, kubectl: Kubectl
) -> None:
    kubectl("rollout", "restart", f"deployment/{web}")
    kubectl("rollout", "pause", f"deployment/{web}")
    paused = api.get(path("deployments", namespace, web)).object()["spec"]
    kubectl("rollout", "resume", f"deployment/{web}")

    annotations = paused["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations
    assert paused["paused"] is True
    assert "paused" not in api.get(path("deployments", namespace, web)).object()["spec"]


def test_apply_creates_configures_and_leaves_alone(
    api: Api, namespace: str, name: str, kubectl: Kubectl
) -> None:
    body = manifests.config_map(name, a="1", b="2")
    said = []
    for data in ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, {"a": "9"}):
        body["data"] = data
        said.append(kubectl("apply", "-f", "-", stdin=json.dumps(body)).out.strip())

    assert said == [
        f"configmap/{name} created",
        f"configmap/{name} unchanged",
        f"configmap/{name} configured",
    ]
    thing = api.get(path("configmaps", namespace, name)).object()
    # What was applied before and is no more goes, because the annotation remembers it.
    assert thing["data"] == {"a": "9"}
    last = thing["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert json.loads(last)["data"] == {"a": "9"}


def test_apply_leaves_replicas_that_it_does_not_name(
    api: Api, namespace: str, name: str, kubectl: Kubectl
) -> None:
    body = manifests.deployment(name)
    del body["spec"]["replicas"]
    kubectl("apply", "-f", "-", stdin=json.dumps(body))
    kubectl("scale", "deployment", name, "--replicas=3")
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2"

    kubectl("apply", "-f", "-", stdin=json.dumps(body))

    spec = api.get(path("deployments", namespace, name)).object()["spec"]
    assert spec["replicas"] == 3
    assert spec["template"]["spec"]["containers"][0]["image"] == "app:2"


def test_server_side_apply_tells_of_conflicts(name: str, kubectl: Kubectl) -> None:
    body = manifests.config_map(name, a="1")
    apply = ("apply", "--server-side", "-f", "-")
    first = kubectl(*apply, "--field-manager=one", stdin=json.dumps(body))
    body["data"] = {"a": "2"}

    second = kubectl.try_to(*apply, "--field-manager=two", stdin=json.dumps(body))
    forced = kubectl(*apply, "--field-manager=two", "--force-conflicts", stdin=json.dumps(body))

    assert first.out.strip() == f"configmap/{name} serverside-applied"
    assert second.code == 1
    assert 'conflict with "one": .data.a' in second.err
    assert forced.out.strip() == f"configmap/{name} serverside-applied"


def test_a_field_that_no_kind_has_is_refused_before_it_is_sent(name: str, kubectl: Kubectl) -> None:
    body = manifests.deployment(name, replica=3)

    said = kubectl.try_to("apply", "-f", "-", stdin=json.dumps(body))

    assert said.code == 1
    assert 'unknown field "spec.replica"' in said.err


def test_diff_shows_what_would_change(name: str, kubectl: Kubectl) -> None:
    body = manifests.config_map(name, a="1")
    kubectl("apply", "-f", "-", stdin=json.dumps(body))
    body["data"] = {"a": "2"}

    said = kubectl.try_to("diff", "-f", "-", stdin=json.dumps(body))

    assert said.code == 1
    assert '-  a: "1"' in said.out
    assert '+  a: "2"' in said.out


def test_label_and_annotate_add_and_take_away(
    api: Api, namespace: str, name: str, kubectl: Kubectl
) -> None:
    api.make("configmaps", namespace, manifests.config_map(name))
    kubectl("label", "cm", name, "a=1", "b=2")
    kubectl("label", "cm", name, "a-")
    kubectl("annotate", "cm", name, "note=hello")
    refused = kubectl.try_to("label", "cm", name, "b=3")

    meta = api.get(path("configmaps", namespace, name)).object()["metadata"]
    assert (meta["labels"], meta["annotations"]) == ({"b": "2"}, {"note": "hello"})
    assert "already has a value (2), and --overwrite is false" in refused.err


def test_patch_takes_each_kind(api: Api, namespace: str, web: str, kubectl: Kubectl) -> None:
    for kind, patch in {
        "merge": '{"spec": {"minReadySeconds": 1}}',
        "strategic": '{"spec": {"revisionHistoryLimit": 3}}',
        "json": '[{"op": "replace", "path": "/spec/progressDeadlineSeconds", "value": 99}]',
    }.items():
        kubectl("patch", "deployment", web, f"--type={kind}", "-p", patch)

    spec = api.get(path("deployments", namespace, web)).object()["spec"]
    assert spec["minReadySeconds"] == 1
    assert spec["revisionHistoryLimit"] == 3
    assert spec["progressDeadlineSeconds"] == 99


def test_wait_returns_when_a_condition_is_met(
    api: Api, namespace: str, name: str, kubectl: Kubectl
) -> None:
    api.make("pods", namespace, manifests.pod(name))
    make_ready(api, namespace, name)

    said = kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=30s")

    assert said.out.strip() == f"pod/{name} condition met"


def test_auth_can_i_answers_yes_or_no(kubectl: Kubectl) -> None:
    yes = kubectl("--context", "reader", "auth", "can-i", "list", "pods")
    no = kubectl.try_to("--context", "reader", "auth", "can-i", "delete", "pods")

    assert (yes.out.strip(), no.out.strip(), no.code) == ("yes", "no", 1)


def test_cordon_and_uncordon_say_what_they_did(api: Api, name: str, kubectl: Kubectl) -> None:
    add_node(api, name)

    said = [kubectl(verb, name).out.strip() for verb in ("cordon", "cordon", "uncordon")]

    assert said == [
        f"node/{name} cordoned",
        f"node/{name} already cordoned",
        f"node/{name} uncordoned",
    ]


def test_taint_adds_and_takes_away(api: Api, name: str, kubectl: Kubectl) -> None:
    add_node(api, name)
    kubectl("taint", "node", name, "only=me:NoSchedule")
    tainted = api.get(path("nodes", None, name)).object()["spec"]["taints"]
    kubectl("taint", "node", name, "only-")

    assert tainted == [{"key": "only", "value": "me", "effect": "NoSchedule"}]
    assert "taints" not in api.get(path("nodes", None, name)).object()["spec"]


def test_drain_evicts_what_is_managed_and_refuses_what_is_not(
    api: Api, namespace: str, name: str, kubectl: Kubectl
) -> None:
    taint = {"key": "pool", "value": name, "effect": "NoSchedule"}
    add_node(api, name, taints=[taint])
    body = manifests.deployment(name)
    body["spec"]["template"]["spec"] |= {
        "nodeSelector": {"kubernetes.io/hostname": name},
        "tolerations": [{"key": "pool", "operator": "Exists"}],
    }
    with kubelet(api, namespace):
        api.make("deployments", namespace, body)
        (pod,) = api.until_listed(
            path("pods", namespace),
            lambda them: len(them) == 1 and them[0]["spec"].get("nodeName") == name,
            labelSelector=f"app={name}",
        )
        api.make("pods", namespace, manifests.pod(f"{name}-bare", nodeName=name))
        refused = kubectl.try_to("drain", name, "--timeout=30s")
        api.delete(path("pods", namespace, f"{name}-bare"), gracePeriodSeconds=0)
        drained = kubectl("drain", name, "--timeout=60s")

    assert "cannot delete" in refused.err
    assert f"{namespace}/{name}-bare" in refused.err
    assert f"pod/{pod['metadata']['name']} evicted" in drained.out
    assert f"node/{name} drained" in drained.out
    assert api.get(path("nodes", None, name)).object()["spec"]["unschedulable"] is True


def test_top_fails_where_nobody_measures(kubectl: Kubectl) -> None:
    said = kubectl.try_to("top", "pod")

    assert said.code == 1
    assert said.err.strip() == "error: Metrics API not available"


def test_api_resources_and_explain_know_the_kinds(kubectl: Kubectl) -> None:
    resources = kubectl("api-resources", "--api-group=apps", "-o", "name").out.split()
    explained = kubectl("explain", "deployment.spec.replicas").out

    assert "deployments.apps" in resources
    assert "FIELD: replicas <integer>" in explained


def test_events_are_listed(api: Api, namespace: str, name: str, kubectl: Kubectl) -> None:
    body = manifests.core_event(name, namespace)
    body["involvedObject"]["name"] = name
    api.make("events", namespace, body)

    said = kubectl("get", "events", f"--field-selector=involvedObject.name={name}").out

    assert "Stopping container main" in said

"""What containers wrote, fetched from the daemon of the node they run on."""

from __future__ import annotations

import ssl

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from deployments.embedded.kubernetes.errors import ApiError, bad_request
from deployments.embedded.kubernetes.objects import Objects
from deployments.embedded.kubernetes.store import Body, Entry

SECONDS = 10.0
PASSED_ON = ("tailLines", "previous", "timestamps", "sinceSeconds", "limitBytes")


async def read_log(objects: Objects, pod: Entry, request: web.Request) -> web.StreamResponse:
    """Return the log of a pod's container.

    Raises:
        ApiError: 400 where no container is meant or none was placed yet, 500 where the node is silent.
    """
    body = pod.body()
    names = [one["name"] for one in body["spec"]["containers"]]
    others = [one["name"] for one in body["spec"].get("initContainers") or ()]
    wanted = request.query.get("container") or (names[0] if len(names) == 1 else "")
    if wanted not in (*names, *others):
        said = f"container {wanted} is not valid for pod {pod.name}"
        choose = f"a container name must be specified for pod {pod.name}, choose one of: [{' '.join(names)}]"
        raise bad_request(said if wanted else choose)
    node = body["spec"].get("nodeName", "")
    if not node:
        message = f"pod {pod.name} does not have a host assigned"
        raise bad_request(message)
    place = _daemon(objects, node)
    url = f"{place}/containerLogs/{pod.namespace}/{pod.name}/{wanted}"
    query = {name: request.query[name] for name in PASSED_ON if name in request.query}
    # A kubelet's certificate is its own, as on a cluster whose API server was given no authority.
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=SECONDS)) as session,
            session.get(url, params=query, ssl=unverified) as answer,
        ):
            content = await answer.read()
            if answer.status != web.HTTPOk.status_code:
                raise ApiError(answer.status, "BadRequest", content.decode(errors="replace"))
            return web.Response(body=content, content_type="text/plain")
    except (ClientError, TimeoutError, OSError) as error:
        message = f'Get "{url}": {error}'
        raise ApiError(500, "InternalError", message) from error


def _daemon(objects: Objects, name: str) -> str:
    kind = objects.kinds.find("", "v1", "nodes")
    found = None if kind is None else objects.store.get(kind, "", name)
    status: Body = {} if found is None else found.body().get("status") or {}
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port")
    addresses = {one["type"]: one["address"] for one in status.get("addresses") or ()}
    if port is None or "InternalIP" not in addresses:
        message = f"node {name} tells no address of its kubelet"
        raise ApiError(500, "InternalError", message)
    return f"https://{addresses['InternalIP']}:{port}"

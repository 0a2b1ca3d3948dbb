"""The helpers of the official client, which carry no types, under names that say so."""

from __future__ import annotations

from typing import Any

from kubernetes import client, dynamic, informer, watch
from kubernetes.watch.watch import iter_resp_lines

AppsV1Api: Any = client.AppsV1Api
CoreV1Api: Any = client.CoreV1Api
CustomObjectsApi: Any = client.CustomObjectsApi
DynamicClient: Any = dynamic.DynamicClient
SharedInformer: Any = informer.SharedInformer
Watch: Any = watch.Watch
response_lines: Any = iter_resp_lines

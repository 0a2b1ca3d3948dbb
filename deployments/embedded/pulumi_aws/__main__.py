"""The provider as a program: prints its port and answers the engine until that ends."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto.provider_pb2_grpc import add_ResourceProviderServicer_to_server

from deployments.embedded.pulumi_aws.servicer import StandIn

WORKERS = 16
MOST_BYTES = 400 * 1024 * 1024
"""Of a message: as the engine allows."""
_LOOK_SECONDS = 1.0


def main() -> None:
    """Serve until the engine stops this process, or is gone itself."""
    options = [
        ("grpc.max_receive_message_length", MOST_BYTES),
        ("grpc.max_send_message_length", MOST_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=WORKERS), options=options)
    add_ResourceProviderServicer_to_server(StandIn(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


def _end_with(parent: int) -> None:
    # An engine that was killed cannot stop its plugins.
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    main()

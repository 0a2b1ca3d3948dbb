"""Puts a fleet into moto's EC2, so that everything the API can change acts on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from deployments.embedded.aws.fleet.description import (
    WINDOWS,
    Fleet,
    FleetInstance,
    FleetVolume,
)
from deployments.embedded.aws.fleet.front import add_functions, add_groups, add_services
from deployments.embedded.aws.fleet.series import SeriesWriter, write_instance
from deployments.embedded.aws.metric_store import MetricStore
from deployments.embedded.aws.policy import ACCOUNT
from tasks.domain.instances import Architecture
from tasks.domain.inventory import InstanceState, Lifecycle

_ROOT_DEVICE = "/dev/xvda"
_IMAGE_NAMES = {
    (Architecture.X86_64, False): "al2023-ami-2023",
    (Architecture.ARM64, False): "al2023-ami-2023",
    (Architecture.X86_64, True): "Windows_Server-2019",
}


def fill_account(fleet: Fleet, store: MetricStore) -> dict[str, str]:
    """Put a fleet and its metrics into the embedded account, which moto has just emptied.

    Returns:
        Instance ids by name.
    """
    from moto.ec2.models import ec2_backends
    from moto.moto_api._internal import mock_random

    # Load balancers and groups draw their ids: the same ones in every start.
    mock_random.seed(fleet.source)
    backend = ec2_backends[ACCOUNT][fleet.region]
    images = _Images(backend)
    writer = SeriesWriter.on_grid(store, region=fleet.region, start=fleet.start, hours=fleet.hours)
    ids: dict[str, str] = {}
    for instance in fleet.instances:
        image = images.of(instance)
        ids[instance.name] = _add_instance(backend, instance, image)
        write_instance(writer, instance, instance_id=ids[instance.name], image_id=image)
    for number, (zone, volume) in enumerate(fleet.loose_volumes):
        _add_volume(backend, volume, name=f"loose-{number}", zone=zone, created_at=fleet.start)
    add_groups(fleet, writer, ids=ids)
    add_services(fleet, writer, ids=ids)
    add_functions(fleet, writer)
    return ids


class _Images:
    """Machine images that moto has, looked up once."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._found: dict[tuple[Architecture, bool], str] = {}

    def of(self, instance: FleetInstance) -> str:
        wanted = (instance.architecture, instance.product == WINDOWS)
        if wanted not in self._found:
            self._found[wanted] = self._look_up(*wanted)
        return self._found[wanted]

    def _look_up(self, architecture: Architecture, windows: bool) -> str:
        name = _IMAGE_NAMES[architecture, windows]
        fitting = (
            image
            for image in self._backend.amis.values()
            if image.architecture == architecture.value and (image.platform == "windows") == windows
        )
        ranked = sorted(fitting, key=lambda image: (not str(image.name).startswith(name), image.id))
        return str(ranked[0].id)


def _add_instance(backend: Any, instance: FleetInstance, image: str) -> str:
    spot = instance.lifecycle is Lifecycle.SPOT
    reservation = backend.run_instances(
        image,
        1,
        None,
        [],
        instance_type=instance.instance_type,
        # moto checks a type that was named against today's offers, and retired ones still run.
        is_instance_type_default=True,
        placement=instance.availability_zone,
        region_name=backend.region_name,
        block_device_mappings=[],
        lifecycle="spot" if spot else None,
    )
    (made,) = reservation.instances
    # The same in every start, so that what was found in one is found again in the next.
    made.id = f"i-{_digits(instance.name)}"
    made.launch_time = _naive(instance.launched_at)
    made.architecture = instance.architecture.value
    made.ebs_optimized = True
    made.add_tags({"Name": instance.name, **instance.tags})
    for position, volume in enumerate(instance.volumes):
        _attach(backend, made, volume, position=position, name=f"{instance.name}-{position}")
    if instance.state is InstanceState.STOPPED:
        made.stop()
    return str(made.id)


def _attach(backend: Any, instance: Any, volume: FleetVolume, *, position: int, name: str) -> None:
    from moto.ec2.models.block_device import BlockDeviceType
    from moto.ec2.models.elastic_block_store import VolumeAttachment

    zone, created = instance.placement.zone, instance.launch_time
    made = _add_volume(backend, volume, name=name, zone=zone, created_at=created)
    device = _ROOT_DEVICE if position == 0 else f"/dev/sd{chr(ord('e') + position)}"
    # As `attach_volume` does, which looks through all instances for one that is at hand here.
    made.attachment = VolumeAttachment(  # type: ignore[abstract]  # moto makes it like this
        made, instance, device, "attached"
    )
    made.attachment.attach_time = created
    instance.block_device_mapping[device] = BlockDeviceType(
        volume_id=made.id,
        status="in-use",
        size=made.size,
        attach_time=created,
        delete_on_termination=position == 0,
    )


def _add_volume(
    backend: Any, volume: FleetVolume, *, name: str, zone: str, created_at: datetime
) -> Any:
    made = backend.create_volume(
        size=volume.size_gib,
        zone_name=zone,
        volume_type=volume.kind,
        iops=volume.iops,
        throughput=volume.throughput_mib_per_second,
    )
    del backend.volumes[made.id]
    made.id = f"vol-{_digits(name)}"
    backend.volumes[made.id] = made
    made.create_time = _naive(created_at)
    _tag(made, volume.tags)
    return made


def _tag(resource: Any, tags: Mapping[str, str]) -> None:
    if tags:
        resource.add_tags(dict(tags))


def _digits(name: str) -> str:
    return "0" + hashlib.sha256(name.encode()).hexdigest()[:16]


def _naive(instant: datetime) -> datetime:
    # moto's own times are naive UTC.
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant

"""Makes the shipped data files: `python -m deployments.embedded.aws.make_data RECORDING MACHINES`.

RECORDING is `us-east-1_2021.parquet` of LucianaMarques/amazon-spot-dataset in the columns of
`spot_history.py`. MACHINES is a folder with `azure_vms_5min_cpu_avg.parquet` and
`azure_vms_5min_cpu_max.parquet`: Azure V1, percent, a column a machine. The on-demand prices are made from the public price rules below; types they do
not cover are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from deployments.embedded.aws.spot_history import DATA, SHIPPED_HISTORY, read_spot_history

FAMILIES = (
    "a1", "c5", "c5n", "g4dn", "i3en", "m3", "m5", "m5ad", "m5dn", "r4", "r5a", "r5d", "r5n", "t2",
    "t3a",
)  # fmt: skip
"""Both architectures, GPU, storage and burstable types among them; 15 of the 23 recorded."""

ZONES_PER_TYPE = 4

_TYPE = "instance_type"
_POOL = ["instance_type", "availability_zone", "product_description"]

VCPUS = {
    "medium": 1, "large": 2, "xlarge": 4, "2xlarge": 8, "3xlarge": 12, "4xlarge": 16, "6xlarge": 24,
    "8xlarge": 32, "9xlarge": 36, "10xlarge": 40, "12xlarge": 48, "16xlarge": 64, "18xlarge": 72,
    "24xlarge": 96, "32xlarge": 128,
}  # fmt: skip

_TO_24 = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
_TO_16 = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge")
_GRAVITON = ("medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")

# family: (USD per vCPU and hour, GiB per vCPU, sizes); us-east-1, Linux, list prices.
PROPORTIONAL: dict[str, tuple[float, float, tuple[str, ...]]] = {
    "a1": (0.0255, 2, ("medium", "large", "xlarge", "2xlarge", "4xlarge")),
    "c3": (0.0525, 1.875, ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")),
    "c5": (0.0425, 2, ("large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "12xlarge", "18xlarge",
                       "24xlarge")),
    "c5a": (0.0385, 2, _TO_24),
    "c5n": (0.054, 2.625, ("large", "xlarge", "2xlarge", "4xlarge")),
    "c6a": (0.03825, 2, _TO_24),
    "c6g": (0.034, 2, _GRAVITON),
    "c6i": (0.0425, 2, _TO_24),
    "c7g": (0.03625, 2, _GRAVITON),
    "c7i": (0.044625, 2, _TO_24),
    "i3": (0.078, 7.625, _TO_16),
    "i3en": (0.113, 8, ("large", "xlarge", "2xlarge", "3xlarge", "6xlarge", "12xlarge",
                        "24xlarge")),
    "m4": (0.05, 4, ("large", "xlarge", "2xlarge", "4xlarge", "10xlarge", "16xlarge")),
    "m5": (0.048, 4, _TO_24),
    "m5a": (0.043, 4, _TO_24),
    "m5ad": (0.0515, 4, _TO_24),
    "m5d": (0.0565, 4, _TO_24),
    "m5dn": (0.068, 4, _TO_24),
    "m5n": (0.0595, 4, _TO_24),
    "m6a": (0.0432, 4, _TO_24),
    "m6g": (0.0385, 4, _GRAVITON),
    "m6i": (0.048, 4, _TO_24),
    "m7g": (0.0408, 4, _GRAVITON),
    "m7i": (0.0504, 4, _TO_24),
    "r4": (0.0665, 7.625, _TO_16),
    "r5": (0.063, 8, _TO_24),
    "r5a": (0.0565, 8, _TO_24),
    "r5d": (0.072, 8, _TO_24),
    "r5n": (0.0745, 8, _TO_24),
    "r6a": (0.0567, 8, _TO_24),
    "r6g": (0.0504, 8, _GRAVITON),
    "r6i": (0.063, 8, _TO_24),
    "r7g": (0.05355, 8, _GRAVITON),
    "r7i": (0.06615, 8, _TO_24),
    "x1": (0.1042031, 15.25, ("16xlarge", "32xlarge")),
    "x1e": (0.2085, 30.5, ("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge", "32xlarge")),
    "z1d": (0.093, 8, ("large", "xlarge", "2xlarge", "3xlarge", "6xlarge", "12xlarge")),
}  # fmt: skip

# type: (USD per hour, vCPU, GiB), where the price does not follow the vCPUs.
SINGLE: dict[str, tuple[float, int, float]] = {
    "a1.metal": (0.408, 16, 32),
    "c4.large": (0.1, 2, 3.75), "c4.xlarge": (0.199, 4, 7.5), "c4.2xlarge": (0.398, 8, 15),
    "c4.4xlarge": (0.796, 16, 30), "c4.8xlarge": (1.591, 36, 60),
    "c5.metal": (4.08, 96, 192),
    "c5n.9xlarge": (1.944, 36, 96), "c5n.18xlarge": (3.888, 72, 192),
    "f1.2xlarge": (1.65, 8, 122), "f1.4xlarge": (3.3, 16, 244), "f1.16xlarge": (13.2, 64, 976),
    "g3.4xlarge": (1.14, 16, 122), "g3.8xlarge": (2.28, 32, 244), "g3.16xlarge": (4.56, 64, 488),
    "g4dn.xlarge": (0.526, 4, 16), "g4dn.2xlarge": (0.752, 8, 32), "g4dn.4xlarge": (1.204, 16, 64),
    "g4dn.8xlarge": (2.176, 32, 128), "g4dn.12xlarge": (3.912, 48, 192),
    "g4dn.16xlarge": (4.352, 64, 256),
    "i2.xlarge": (0.853, 4, 30.5), "i2.2xlarge": (1.705, 8, 61), "i2.4xlarge": (3.41, 16, 122),
    "i2.8xlarge": (6.82, 32, 244),
    "i3en.metal": (10.848, 96, 768),
    "m1.small": (0.044, 1, 1.7), "m1.medium": (0.087, 1, 3.75), "m1.large": (0.175, 2, 7.5),
    "m1.xlarge": (0.35, 4, 15),
    "m3.medium": (0.067, 1, 3.75), "m3.large": (0.133, 2, 7.5), "m3.xlarge": (0.266, 4, 15),
    "m3.2xlarge": (0.532, 8, 30),
    "m5.metal": (4.608, 96, 384),
    "p2.xlarge": (0.9, 4, 61), "p2.8xlarge": (7.2, 32, 488), "p2.16xlarge": (14.4, 64, 732),
    "p3.2xlarge": (3.06, 8, 61), "p3.8xlarge": (12.24, 32, 244), "p3.16xlarge": (24.48, 64, 488),
    "p3dn.24xlarge": (31.212, 96, 768),
    "r5d.metal": (6.912, 96, 768),
    "t2.nano": (0.0058, 1, 0.5), "t2.micro": (0.0116, 1, 1), "t2.small": (0.023, 1, 2),
    "t2.medium": (0.0464, 2, 4), "t2.large": (0.0928, 2, 8), "t2.xlarge": (0.1856, 4, 16),
    "t2.2xlarge": (0.3712, 8, 32),
    "t3.nano": (0.0052, 2, 0.5), "t3.micro": (0.0104, 2, 1), "t3.small": (0.0208, 2, 2),
    "t3.medium": (0.0416, 2, 4), "t3.large": (0.0832, 2, 8), "t3.xlarge": (0.1664, 4, 16),
    "t3.2xlarge": (0.3328, 8, 32),
    "t3a.nano": (0.0047, 2, 0.5), "t3a.micro": (0.0094, 2, 1), "t3a.small": (0.0188, 2, 2),
    "t3a.medium": (0.0376, 2, 4), "t3a.large": (0.0752, 2, 8), "t3a.xlarge": (0.1504, 4, 16),
    "t3a.2xlarge": (0.3008, 8, 32),
}  # fmt: skip

_ARM = ("a1", "m6g", "c6g", "r6g", "m7g", "c7g", "r7g")


def on_demand_table() -> pd.DataFrame:
    """Return the price list: instance_type, usd_per_hour, vcpu, memory_gib, architecture."""
    rows = sorted([*_proportional_rows(), *((kind, *row) for kind, row in SINGLE.items())])
    table = pd.DataFrame(rows, columns=[_TYPE, "usd_per_hour", "vcpu", "memory_gib"])
    family = table[_TYPE].str.split(".").str[0]
    return table.assign(architecture=family.isin(_ARM).map({True: "arm64", False: "x86_64"}))


def _proportional_rows() -> Iterator[tuple[str, float, int, float]]:
    for family, (usd_per_vcpu, gib_per_vcpu, sizes) in PROPORTIONAL.items():
        for size in sizes:
            vcpu = VCPUS[size]
            yield f"{family}.{size}", round(usd_per_vcpu * vcpu, 6), vcpu, gib_per_vcpu * vcpu


def shipped_extract(recording: pd.DataFrame) -> pd.DataFrame:
    """Return at most 60 pools: of each of 15 families the type that moved most, in four zones.

    "Moved most" counts price changes over a type's four most moving zones, so that pools which
    never move, half of the recording, are rare in the extract.
    """
    moves = _moves(recording).sort_values("moves", ascending=False, kind="stable")
    zones = moves.groupby(_TYPE).head(ZONES_PER_TYPE)
    per_type = zones.groupby(_TYPE)["moves"].sum().sort_values(ascending=False, kind="stable")
    family = per_type.index.str.split(".").str[0]
    kinds = per_type.index[family.isin(FAMILIES) & ~family.duplicated()]
    kept = zones[zones[_TYPE].isin(kinds)][_POOL]
    return recording.merge(kept, on=_POOL).sort_values([*_POOL, "timestamp"], ignore_index=True)


def _moves(recording: pd.DataFrame) -> pd.DataFrame:
    ordered = recording.sort_values([*_POOL, "timestamp"], kind="stable")
    steps = ordered.groupby(_POOL)["price_usd_per_hour"].diff().fillna(0.0)
    return ordered.assign(moves=steps.ne(0.0)).groupby(_POOL)["moves"].sum().reset_index()


MACHINES_FILE = "azure_vms_hourly.parquet"
MACHINES = 40
_STEPS_PER_HOUR = 12


def machine_extract(average: pd.DataFrame, highest: pd.DataFrame) -> pd.DataFrame:
    """Return hourly use of the 40 busiest machines: machine, hour, cpu_mean_percent, cpu_max_percent.

    Busiest by the mean of all hours; more than half of the machines are hardly used at all. Of machines
    that were recorded twice the first is kept. Percent, to a hundredth.

    Args:
        average: Mean of each five minutes, a column a machine.
        highest: Largest value of each five minutes, the same columns.
    """
    hour = pd.Series(range(len(average))) // _STEPS_PER_HOUR
    means = average.reset_index(drop=True).groupby(hour).mean()
    highs = highest.reset_index(drop=True).groupby(hour).max()
    means = means.loc[:, ~means.T.duplicated()]
    busiest = means.mean().sort_values(ascending=False, kind="stable").index[:MACHINES]
    parts = [
        pd.DataFrame(
            {
                "machine": name.split("_p")[0],
                "hour": means.index,
                "cpu_mean_percent": means[name].round(2),
                "cpu_max_percent": highs[name].round(2),
            }
        )
        for name in sorted(busiest)
    ]
    found = pd.concat(parts, ignore_index=True)
    return found.astype({"hour": "int16", "cpu_mean_percent": "f4", "cpu_max_percent": "f4"})


def main() -> None:
    """Write all files into the data folder."""
    machines = Path(sys.argv[2])
    tables = [
        pd.read_parquet(machines / f"azure_vms_5min_cpu_{kind}.parquet") for kind in ("avg", "max")
    ]
    machine_extract(*tables).to_parquet(DATA / MACHINES_FILE, compression="zstd", index=False)
    on_demand_table().to_csv(DATA / "on_demand_us-east-1.csv", index=False)
    extract = shipped_extract(read_spot_history(Path(sys.argv[1])))
    extract.to_parquet(SHIPPED_HISTORY, compression="zstd", index=False)


if __name__ == "__main__":
    main()

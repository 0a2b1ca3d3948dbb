"""Recorded tables from files, with messages that name the bad row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.lib
import pyarrow.parquet

from deployments.embedded.aws.errors import InvalidFileError
from tasks.domain.arrays import BoolArray


def read_table(
    path: Path, *, columns: Sequence[str], optional: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return some columns of a Parquet or CSV file; a CSV file's are text.

    Args:
        path: The file.
        columns: That it has to have.
        optional: That it may have, and no others; None ignores others.

    Raises:
        InvalidFileError: There is no such table, a column is missing or unknown, or there are no
            rows.
    """
    frame = _read(path)
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns)) or "none"
        raise InvalidFileError(path, f"column {missing[0]!r} is missing; columns found: {found}")
    if frame.empty:
        raise InvalidFileError(path, "holds no rows; at least one is needed")
    known = [*columns, *(name for name in optional or () if name in frame.columns)]
    unknown = [str(name) for name in frame.columns if name not in known]
    if optional is not None and unknown:
        all_known = ", ".join([*columns, *optional])
        reason = f"column {unknown[0]!r} is not known; columns may be {all_known}"
        raise InvalidFileError(path, reason)
    return frame[known].reset_index(drop=True)


def _read(path: Path) -> pd.DataFrame:
    readers = {".parquet": pyarrow.parquet.read_table, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InvalidFileError(path, f"suffix {path.suffix!r} is neither .parquet nor .csv")
    try:
        table = reader(path)
    except FileNotFoundError as error:
        raise InvalidFileError(path, "no such file") from error
    except (OSError, ValueError, pyarrow.lib.ArrowException) as error:
        raise InvalidFileError(path, f"is not readable as {path.suffix[1:]}: {error}") from error
    return table if isinstance(table, pd.DataFrame) else table.to_pandas()


def _read_csv(path: Path) -> pd.DataFrame:
    # As text: a message about a bad row has to show what stands there.
    return pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)


def instants(values: pd.Series, path: Path) -> pd.Series:
    """Return aware timestamps in whole seconds; those without an offset are read as UTC.

    Raises:
        InvalidFileError: One is no instant.
    """
    reason = "timestamp {!r} is not an ISO 8601 instant in UTC or with offset"
    if pd.api.types.is_numeric_dtype(values):
        # Not guessed at: seconds, milliseconds and days are all in use.
        refuse_first(np.ones(len(values), dtype=bool), values, path, reason)
    parsed = pd.to_datetime(values, utc=True, errors="coerce", format="ISO8601")
    refuse_first(parsed.isna(), values, path, reason)
    return parsed.dt.floor("s").astype("datetime64[s, UTC]")


def refuse_first(bad: pd.Series | BoolArray, values: pd.Series, path: Path, reason: str) -> None:
    """Raise InvalidFileError for the first bad row; the reason has {!r} for its value."""
    if bad.any():
        row = int(np.argmax(np.asarray(bad)))
        found = values.iloc[[row]].tolist()[0]  # a plain number, not NumPy's
        raise InvalidFileError(path, reason.format(found), row=row + 1)

"""Parameters that several flows have, as the run form shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d+$", examples=["us-east-1"])]
BlockName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
StorageName = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9][a-z0-9-]*$")]

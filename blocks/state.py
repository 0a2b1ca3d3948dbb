"""What every state block has: a schema version, and a rule for reading older and newer documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from prefect.blocks.core import Block
from pydantic import BaseModel, ConfigDict, Field, model_validator


class ObjectPointer(BaseModel):
    """A pointer to bulk data in a storage block: an object's key and what it must contain."""

    model_config = ConfigDict(frozen=True)

    key: str = Field(min_length=1, description="Path inside the storage block.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the stored bytes.")
    size_bytes: int = Field(ge=0)


class StateBlock(Block):
    """State that outlives a run, written by one flow.

    Fields are only ever added, with a default; a change that needs more raises
    `CURRENT_SCHEMA` and is read by `migrate`.
    """

    model_config = ConfigDict(validate_assignment=True)

    CURRENT_SCHEMA: ClassVar[int] = 1

    schema_version: int = Field(1, ge=1, description="Of this document; migrated on load.")
    observed_at: datetime | None = Field(
        None, description="When the run that wrote this document looked at the world; UTC."
    )

    @classmethod
    def migrate(cls, data: dict[str, Any], *, version: int) -> dict[str, Any]:
        """Return the fields of a document of an older version in today's form."""
        del version
        return data

    @model_validator(mode="before")
    @classmethod
    def _read_any_version(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        version = int(data.get("schema_version", cls.CURRENT_SCHEMA))
        if version > cls.CURRENT_SCHEMA:
            # Saving it again would drop what the newer release put there.
            message = (
                f"{cls.__name__} document has schema version {version}, this release reads up to "
                f"{cls.CURRENT_SCHEMA}; upgrade Homeostat on this worker"
            )
            raise ValueError(message)
        if version < cls.CURRENT_SCHEMA:
            data = cls.migrate(dict(data), version=version)
        return {**data, "schema_version": cls.CURRENT_SCHEMA}

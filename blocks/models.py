"""The state of the models area: which version of a model serves, waits, and served before."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

from blocks.state import StateBlock

SHA256 = r"^[0-9a-f]{64}$"


class ModelEntry(BaseModel):
    """One trained model: where its bytes lie, what they must be, and what was known of it."""

    model_config = ConfigDict(frozen=True)

    key: str = Field(min_length=1, description="Path inside the storage block.")
    sha256: str = Field(pattern=SHA256, description="Of the stored bytes.")
    size_bytes: int = Field(ge=0)
    kind: str = Field(min_length=1, description="What can read it, for example load/1.")
    trained_at: AwareDatetime
    trained_by: str = Field(description="Flow run.")
    data_sha256: str = Field(pattern=SHA256, description="Of the data that it was trained on.")
    code_version: str = Field(description="Of Homeostat, when it was trained.")
    metrics: dict[str, FiniteFloat] = Field(
        default_factory=dict, description="What its backtest said; undefined ones are left out."
    )


class ModelRegistry(StateBlock):
    """The versions of one model that matter; one document a model, for example `load-cpu`.

    Written by `retrain-models` and `homeostat rollback`, under the lock of all state.
    """

    _block_type_name = "Model Registry"
    _block_type_slug = "model-registry"
    _description = "Which version of a model serves, which one waits, and which served before."

    champion: ModelEntry | None = Field(None, description="The one that serves.")
    challenger: ModelEntry | None = Field(
        None, description="The one in its shadow period: it forecasts, and nobody acts on it."
    )
    shadow_since: AwareDatetime | None = Field(
        None, description="When the challenger's shadow period began."
    )
    previous: list[ModelEntry] = Field(
        default_factory=list, description="Earlier champions, the latest first."
    )
    refused: dict[str, str] = Field(
        default_factory=dict,
        description="Hash of each version that is never promoted again, and why.",
    )
    message: str = Field("", description="What happened last.")

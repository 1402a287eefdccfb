"""What one update is asked to do: the first line that its process reads."""

from pathlib import Path

from pydantic import BaseModel


class UpdateSpec(BaseModel):
    """What one update is to do.

    Attributes:
        engine: address of the Spark Connect engine.
        state: directory of the pipeline's own state.
        sources: the source files, in order.
        full_refresh: begin anew with every table; with `full_refresh_selection`, with those only.
        refresh_selection: the tables to update; all when empty.
        validate_only: load and check the source, change nothing.
    """

    pipeline_id: str
    engine: str
    catalog: str
    schema_name: str
    state: Path
    sources: list[Path]
    root: Path | None = None
    configuration: dict[str, str] = {}
    continuous: bool = False
    full_refresh: bool = False
    refresh_selection: list[str] = []
    full_refresh_selection: list[str] = []
    validate_only: bool = False

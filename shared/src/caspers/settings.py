"""The parameters of a demo and the settings of a process: one typed model, and the only reader of the environment.

`Parameters` is what a person may choose; the CLI, the admin's API and the stages speak it as JSON. `Settings` adds
what the platform tells a process about itself. A value's environment variable is its name in capitals, unless the
platform dictates another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from caspers.errors import CaspersError, Invalid
from caspers.names import Names, catalog_name, identifier

DATASET_MAX_DAYS = 3_650


class InvalidParameters(Invalid):
    """One or more parameters were refused; the message names each with its reason."""


def _catalog(value: str) -> str:
    return _as_value_error(catalog_name, value)


def _identifier(value: str) -> str:
    return _as_value_error(identifier, value)


def _as_value_error(check: Any, value: str) -> str:
    try:
        return check(value)
    except CaspersError as error:
        raise ValueError(f"{error.message}. {error.what_now}") from error


def _not_negative(value: float) -> float:
    if value < 0:
        raise ValueError(f"{value:g} is negative; use 0 or more")
    return value


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError(f"{value:g} is not positive; use a number above 0")
    return value


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{value:g} is no share; use a number from 0 to 1")
    return value


def _dataset_days(value: int) -> int:
    if not 1 <= value <= DATASET_MAX_DAYS:
        raise ValueError(f"{value} days make no dataset; use 1 to {DATASET_MAX_DAYS}")
    return value


Catalog = Annotated[str, AfterValidator(_catalog)]
Identifier = Annotated[str, AfterValidator(_identifier)]
NotNegativeFloat = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_not_negative)]
PositiveFloat = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_positive)]
Share = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_share)]
Days = Annotated[int, AfterValidator(_dataset_days)]
NotNegativeInt = Annotated[int, AfterValidator(_not_negative)]
PositiveInt = Annotated[int, AfterValidator(_positive)]


class Parameters(BaseModel):
    """What a person may choose about a demo; every field has a default and a meaning."""

    model_config = ConfigDict(extra="forbid")

    catalog: Catalog = Field(
        default="caspersdev", description="UC catalog of the whole demo; several may live side by side"
    )
    simulator_schema: Identifier = Field(default="simulator", description="schema where events land")
    events_volume: Identifier = Field(
        default="events", description="volume of the event files; `misc` beside it keeps replay state"
    )
    start_day: NotNegativeInt = Field(
        default=70, description="the first run replays day 0 up to this day plus the time of day"
    )
    speed_multiplier: PositiveFloat = Field(default=60.0, description="virtual seconds per real second")
    schedule_minutes: PositiveFloat = Field(
        default=3.0, description="minutes between replay ticks; fractions allowed"
    )
    pipeline_schedule_minutes: NotNegativeFloat = Field(
        default=0.0, description="0 = the pipeline runs continuously, N = it is triggered every N minutes"
    )
    complaint_rate: Share = Field(default=0.15, description="share of delivered orders that complain")
    llm_model: str = Field(
        default="databricks-meta-llama-3-3-70b-instruct", description="foundation model behind both agents"
    )
    refund_agent_endpoint_name: str = Field(
        default="", description="serving endpoint that is a refund agent; empty = the app's own agent"
    )
    complaint_agent_endpoint_name: str = Field(
        default="", description="serving endpoint that is a complaint agent; empty = the app's own agent"
    )
    refund_history_share: Share = Field(
        default=0.1,
        description="share of the orders delivered before the refund line began that its agent looks at",
    )
    refund_live_share: Share = Field(
        default=1.0, description="share of the orders delivered since then that the refund agent looks at"
    )
    model_calls_in_flight: PositiveInt = Field(
        default=8, description="calls of a worker to the model at the same time"
    )
    model_calls_per_minute: PositiveInt = Field(
        default=3_000, description="budget of a worker's calls to the model in a minute"
    )
    events_per_file: PositiveInt | None = Field(
        default=None, description="events in one file of the volume; empty = one file per slice of a window"
    )
    days: Days = Field(default=90, description="days in the canonical dataset that our generator makes")
    seed: int = Field(
        default=20_240_101, description="seed of the canonical dataset: same seed and days, same bytes"
    )

    @property
    def names(self) -> Names:
        """Every name that follows from the catalog."""
        return Names(self.catalog, self.simulator_schema, self.events_volume)


class Settings(BaseSettings, Parameters):  # pyright: ignore[reportIncompatibleVariableOverride]  see model_config
    """The parameters plus what the platform tells this process about itself."""

    # The two bases differ in the type of this name only: SettingsConfigDict is a ConfigDict with more keys.
    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, populate_by_name=True)

    app_name: str = Field(
        default="", validation_alias="DATABRICKS_APP_NAME", description="name of this app on the platform"
    )
    app_port: int = Field(
        default=8000, validation_alias="DATABRICKS_APP_PORT", description="port this app listens on"
    )
    warehouse_id: str = Field(
        default="", validation_alias="DATABRICKS_WAREHOUSE_ID", description="SQL warehouse for statements"
    )
    lakebase_endpoint: str = Field(
        default="", description="path of the Lakebase endpoint that holds the control database"
    )
    refund_lakebase_endpoint: str = Field(
        default="", description="path of the Lakebase endpoint that holds the refund manager's database"
    )
    refund_database: Identifier = Field(
        default="caspers", description="Postgres database of the refund manager"
    )
    complaint_lakebase_endpoint: str = Field(
        default="", description="path of the Lakebase endpoint that holds the complaint console's database"
    )
    complaint_database: Identifier = Field(
        default="caspers_complaints", description="Postgres database of the complaint console"
    )
    control_database: Identifier = Field(
        default="control", description="Postgres database of orders and reports"
    )
    postgres_port: int | None = Field(
        default=None,
        validation_alias="PGPORT",
        description="port of Lakebase where the endpoint's host names none; empty = 5432",
    )
    postgres_sslmode: str = Field(
        default="require", validation_alias="PGSSLMODE", description="libpq's sslmode towards Lakebase"
    )
    admin_owner: str = Field(
        default="", description="who deployed the admin and owns the demo: a person's user name, or an id"
    )
    log_level: str = Field(default="INFO", description="least severe log level that is written")


@dataclass(frozen=True)
class SettingDescription:
    """One line of the settings table."""

    variable: str
    default: str
    meaning: str


def read_settings() -> Settings:
    """The settings of this process from its environment. Raises `InvalidParameters` naming each refused variable."""
    try:
        return Settings()
    except ValidationError as error:
        raise _refusal(error, Settings) from error


def parameters_from(values: Mapping[str, Any]) -> Parameters:
    """Parameters from names and values, defaults for the rest. Raises `InvalidParameters`; an unknown name is one."""
    try:
        return Parameters.model_validate(dict(values))
    except ValidationError as error:
        raise _refusal(error, Parameters) from error


def describe(model: type[BaseModel] = Settings) -> list[SettingDescription]:
    """Every setting with its environment variable, default and meaning, in reading order."""
    return [
        SettingDescription(_variable(name, field), _default(field), field.description or "")
        for name, field in model.model_fields.items()
    ]


def _variable(name: str, field: FieldInfo) -> str:
    return str(field.validation_alias or name).upper()


def _default(field: FieldInfo) -> str:
    return "empty" if field.default in {None, ""} else str(field.default)


def _refusal(error: ValidationError, model: type[BaseModel]) -> InvalidParameters:
    reasons = [_reason(detail["loc"], detail["type"], detail["msg"], model) for detail in error.errors()]
    return InvalidParameters("; ".join(reasons), what_now="Correct the values and try again.")


def _reason(location: tuple[int | str, ...], kind: str, message: str, model: type[BaseModel]) -> str:
    name = str(location[0]) if location else "parameters"
    if kind == "extra_forbidden":
        return f"{name}: there is no such parameter (there are: {', '.join(model.model_fields)})"
    return f"{name}: {message.removeprefix('Value error, ')}"

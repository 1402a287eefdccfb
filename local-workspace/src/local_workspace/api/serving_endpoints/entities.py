"""What an endpoint serves: which configurations are accepted, where their calls go, and what of them may be shown."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from local_workspace.errors import InvalidParameterValue, NotImplementedHere

CHAT = "llm/v1/chat"
OPENAI_BASE = "https://api.openai.com/v1"
FOUNDATION_MODEL: dict[str, Any] = {
    "name": "databricks-meta-llama-3-3-70b-instruct",
    "entity_name": "system.ai.llama_v3_3_70b_instruct",
    "foundation_model": {
        "name": "system.ai.llama_v3_3_70b_instruct",
        "display_name": "Meta Llama 3.3 70B Instruct",
        "description": "The local workspace runs no language model: rules-1 answers, which follows the procedure of "
        "the system message, unless the workspace was started with a model server to forward to.",
    },
}
"""The entity of the endpoint that every workspace has."""

UNNAMEABLE = re.compile(r"[^A-Za-z0-9_-]")
SECRETS = (
    "openai_api_key_plaintext",
    "databricks_api_token_plaintext",
    "token_plaintext",
    "value_plaintext",
)


@dataclass(frozen=True)
class Destination:
    """Where the calls of an endpoint go.

    Attributes:
        url: takes the POST of a chat body.
        model: goes into the body in place of the caller's; None leaves the body as it is.
        headers: prove who calls; never shown, never logged.
    """

    url: str
    model: str | None
    headers: dict[str, str] = field(repr=False)


class _Wire(BaseModel):
    """A part of the wire whose further fields have no meaning here: they are refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class _OpenAi(_Wire):
    openai_api_base: str = OPENAI_BASE
    openai_api_key: str | None = None
    openai_api_key_plaintext: str | None = None
    openai_api_type: Literal["openai"] = "openai"
    openai_organization: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]+$")

    def destination(self, model: str) -> Destination:
        key = _key("openai_api_key", self.openai_api_key, self.openai_api_key_plaintext)
        server = model_server(self.openai_api_base, model, key)
        if self.openai_organization:
            server.headers["OpenAI-Organization"] = self.openai_organization
        return server


class _Databricks(_Wire):
    databricks_workspace_url: str
    databricks_api_token: str | None = None
    databricks_api_token_plaintext: str | None = None

    def destination(self, model: str) -> Destination:
        token = _key("databricks_api_token", self.databricks_api_token, self.databricks_api_token_plaintext)
        url = f"{_url(self.databricks_workspace_url)}/serving-endpoints/{quote(model, safe='')}/invocations"
        return Destination(url, None, {"Authorization": f"Bearer {token}"})


class _BearerToken(_Wire):
    token: str | None = None
    token_plaintext: str | None = None


class _ApiKey(_Wire):
    key: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    value: str | None = None
    value_plaintext: str | None = None


class _Custom(_Wire):
    custom_provider_url: str
    bearer_token_auth: _BearerToken | None = None
    api_key_auth: _ApiKey | None = None

    def destination(self, model: str) -> Destination:
        match self.bearer_token_auth, self.api_key_auth:
            case _BearerToken() as bearer, None:
                headers = {"Authorization": f"Bearer {_key('token', bearer.token, bearer.token_plaintext)}"}
            case None, _ApiKey() as named:
                headers = {named.key: _key("value", named.value, named.value_plaintext)}
            case _:
                raise InvalidParameterValue(
                    "custom_provider_config takes either bearer_token_auth or api_key_auth."
                )
        return Destination(_url(self.custom_provider_url), model, headers)


class _ExternalModel(_Wire):
    provider: str
    name: str = Field(min_length=1)
    task: str
    openai_config: _OpenAi | None = None
    databricks_model_serving_config: _Databricks | None = None
    custom_provider_config: _Custom | None = None


PROVIDERS = {
    "openai": "openai_config",
    "databricks-model-serving": "databricks_model_serving_config",
    "custom": "custom_provider_config",
}


def accepted(config: Any) -> dict[str, Any]:
    """The one served entity of a configuration, named, if the workspace can serve it.

    Raises:
        InvalidParameterValue: a field is missing or has no meaning.
        NotImplementedHere: the platform can serve this, the local workspace cannot.
    """
    config = _object(config, "config")
    entities = config.get("served_entities")
    if not isinstance(entities, list) or not entities:
        raise InvalidParameterValue("config.served_entities names what to serve; it is missing or no list.")
    if config.get("auto_capture_config") or config.get("served_models"):
        raise NotImplementedHere(
            "Inference tables and served_models are not supported by the local workspace."
        )
    if len(entities) > 1:
        raise NotImplementedHere("The local workspace serves one entity by an endpoint, not several.")
    entity = _object(entities[0], "A served entity")
    if not entity.get("external_model"):
        named = entity.get("entity_name") or "an entity without external_model"
        raise NotImplementedHere(f"The local workspace serves external models only; it cannot serve {named}.")
    external_model = _object(entity["external_model"], "external_model")
    destination(external_model)
    meaningless = [it for it in entity if entity[it] and it not in {"name", "external_model"}]
    if meaningless:
        raise InvalidParameterValue(f"External models have no {', '.join(meaningless)}.")
    name = entity.get("name") or UNNAMEABLE.sub("-", external_model["name"])
    if not isinstance(name, str) or UNNAMEABLE.search(name):
        raise InvalidParameterValue(f"{name!r} is no name for a served entity: letters, digits, - and _.")
    return {"name": name, "external_model": external_model}


def destination(external_model: dict[str, Any]) -> Destination:
    """Where the calls of an external model go.

    Raises:
        InvalidParameterValue: a field is missing or has no meaning.
        NotImplementedHere: a provider, a task or a kind of key that is not supported.
    """
    provider, task = external_model.get("provider"), external_model.get("task")
    if not isinstance(provider, str) or provider not in PROVIDERS:
        raise NotImplementedHere(
            f"Models of provider {provider!r} are not supported by the local workspace; there are {', '.join(PROVIDERS)}."
        )
    if task != CHAT:
        raise NotImplementedHere(f"Task {task!r} is not supported by the local workspace; use {CHAT!r}.")
    try:
        model = _ExternalModel.model_validate(external_model)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise InvalidParameterValue(f"external_model.{place}: {fault['msg']}.") from None
    config: _OpenAi | _Databricks | _Custom | None = getattr(model, PROVIDERS[model.provider])
    if config is None:
        raise InvalidParameterValue(f"A model of provider {provider} needs its {PROVIDERS[model.provider]}.")
    return config.destination(model.name)


def model_server(base_url: str, model: str, api_key: str | None) -> Destination:
    """An OpenAI-compatible server; not all of them ask for a key."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    return Destination(_url(base_url) + "/chat/completions", model, headers)


def shown(entity: dict[str, Any]) -> dict[str, Any]:
    """The entity without its keys."""
    return {
        name: shown(value) if isinstance(value, dict) else value
        for name, value in entity.items()
        if name not in SECRETS
    }


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidParameterValue(f"{what} is missing or no JSON object.")
    return cast("dict[str, Any]", value)


def _key(field_name: str, reference: str | None, plaintext: str | None) -> str:
    if reference:
        raise NotImplementedHere(
            f"{field_name}: the local workspace has no secrets to refer to; send {field_name}_plaintext."
        )
    if not plaintext or not plaintext.isascii() or not plaintext.isprintable():
        raise InvalidParameterValue(f"{field_name}_plaintext is missing or cannot go into an HTTP header.")
    return plaintext


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise InvalidParameterValue(f"{text!r} is no http or https address.")
    return text.rstrip("/")

"""Which configurations of serving endpoints are accepted; none of them breaks the workspace."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_workspace.api.serving_endpoints import entities
from local_workspace.errors import ApiError, InvalidParameterValue, NotImplementedHere

fields = st.sampled_from(
    ["name", "provider", "task", "openai_config", "openai_api_base", "openai_api_key_plaintext", "entity_name",
     "custom_provider_config", "custom_provider_url", "api_key_auth", "key", "value_plaintext", "external_model",
     "databricks_model_serving_config", "databricks_workspace_url", "databricks_api_token_plaintext"]
)  # fmt: skip
words = st.sampled_from(
    ["openai", "custom", "databricks-model-serving", "llm/v1/chat", "http://h/v1", "é", "a b", ""]
)
values = st.recursive(
    words | st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.dictionaries(fields, inner, max_size=6) | st.lists(inner, max_size=2),
    max_leaves=20,
)


def model(**changed: Any) -> dict[str, Any]:
    """An external model that can be served, but for what is changed."""
    config = {"openai_api_base": "http://h/v1/", "openai_api_key_plaintext": "k"}
    usual = {"name": "m/1", "provider": "openai", "task": "llm/v1/chat", "openai_config": config}
    return usual | changed


def served(external_model: Any, **entity: Any) -> dict[str, Any]:
    return entities.accepted({"served_entities": [{"external_model": external_model} | entity]})


def test_an_unnamed_entity_is_named_after_its_model():
    assert served(model())["name"] == "m-1"
    assert served(model(), name="mine")["name"] == "mine"


def test_a_destination_hides_its_headers():
    destination = entities.destination(model())
    assert destination.url == "http://h/v1/chat/completions"
    assert destination.headers == {"Authorization": "Bearer k"}
    assert "Bearer" not in repr(destination)


def test_no_key_is_left_in_what_is_shown():
    named = {"key": "x-key", "value_plaintext": "secret"}
    custom = {"custom_provider_url": "http://h/chat", "api_key_auth": named}
    entity = served(model(provider="custom", openai_config=None, custom_provider_config=custom))
    assert entities.destination(entity["external_model"]).headers == {"x-key": "secret"}
    assert "secret" not in str(entities.shown(entity))
    assert entities.shown(entity)["external_model"]["custom_provider_config"]["api_key_auth"] == {
        "key": "x-key"
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"openai_config": {"openai_api_key_plaintext": "line\nbreak"}},
        {"openai_config": {"openai_api_key_plaintext": ""}},
        {"openai_config": {"openai_api_key_plaintext": "k", "openai_api_type": "azure"}},
        {"openai_config": None},
        {"name": ""},
        {"surprise": 1},
    ],
)
def test_models_that_make_no_sense_are_refused(changed: dict[str, Any]):
    with pytest.raises(InvalidParameterValue):
        served(model(**changed))


def test_models_of_the_platform_are_not_served_here():
    with pytest.raises(NotImplementedHere, match=r"system\.ai\.some"):
        entities.accepted({"served_entities": [{"entity_name": "system.ai.some", "entity_version": "1"}]})


@settings(max_examples=400)
@given(values, values)
def test_any_configuration_is_accepted_or_refused(config: Any, external: Any):
    for candidate in (
        config,
        {"served_entities": config},
        {"served_entities": [{"external_model": external}]},
    ):
        with suppress(ApiError):
            entity = entities.accepted(candidate)
            assert entities.destination(entity["external_model"]).url

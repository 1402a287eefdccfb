"""SQL warehouses through the SDK."""

import pytest
from databricks.sdk.errors import InvalidParameterValue, ResourceAlreadyExists, ResourceDoesNotExist
from databricks.sdk.service.sql import State, StatementState

from tests.support.workspace import LocalWorkspace


def test_a_new_workspace_has_a_running_warehouse(workspace: LocalWorkspace):
    first = next(iter(workspace.client.warehouses.list()))
    assert first.odbc_params
    assert first.odbc_params.path == f"/sql/1.0/warehouses/{first.id}"


def test_a_warehouse_is_made_changed_and_deleted(workspace: LocalWorkspace):
    warehouses = workspace.client.warehouses
    made = warehouses.create(name="small one", cluster_size="2X-Small").result()
    assert made.id
    assert made.state is State.RUNNING
    with pytest.raises(ResourceAlreadyExists):
        warehouses.create(name="small one", cluster_size="2X-Small")
    with pytest.raises(InvalidParameterValue):
        warehouses.create(name="odd one", cluster_size="Enormous")
    warehouses.edit(made.id, name="renamed", auto_stop_mins=15).result()
    assert warehouses.get(made.id).auto_stop_mins == 15
    warehouses.delete(made.id)
    with pytest.raises(ResourceDoesNotExist):
        warehouses.get(made.id)


def test_a_stopped_warehouse_starts_with_the_next_statement(workspace: LocalWorkspace):
    client = workspace.client
    made = client.warehouses.create(name="to be stopped", cluster_size="2X-Small").result()
    assert made.id
    assert client.warehouses.stop(made.id).result().state is State.STOPPED
    answer = client.statement_execution.execute_statement("SELECT 1", made.id)
    assert answer.status
    assert answer.status.state is StatementState.SUCCEEDED
    assert client.warehouses.get(made.id).state is State.RUNNING
    client.warehouses.delete(made.id)

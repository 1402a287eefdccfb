"""The pool against a Postgres that ends connections: what asks for the next one never notices."""

from caspers.clients.postgres import Postgres

BACKEND = "SELECT pg_backend_pid()"


def test_a_reading_connection_ended_right_after_use_is_replaced_unnoticed(database: Postgres):
    with database.reading() as reader:
        ended = reader.rows(BACKEND)[0][0]
    _end(database, ended)
    with database.reading() as reader:
        assert reader.rows(BACKEND)[0][0] != ended


def test_a_writing_connection_ended_right_after_use_is_replaced_unnoticed(database: Postgres):
    with database.transaction() as writer:
        ended = writer.rows(BACKEND)[0][0]
    _end(database, ended)
    with database.transaction() as writer:
        assert writer.rows(BACKEND)[0][0] != ended


def test_a_connection_used_a_moment_ago_is_used_again(database: Postgres):
    with database.reading() as reader:
        first = reader.rows(BACKEND)[0][0]
    with database.reading() as reader:
        assert reader.rows(BACKEND)[0][0] == first


def _end(database: Postgres, backend: int) -> None:
    """End a backend, and return when it is gone."""
    with database.connection() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])

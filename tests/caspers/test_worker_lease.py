"""A lease is one copy's at a time, and free from the moment it is given back."""

from caspers.clients.postgres import Postgres
from caspers.worker.lease import Lease


def test_a_lease_that_was_given_back_is_free_at_once(database: Postgres):
    one, other = Lease(database, "replay"), Lease(database, "replay")
    for _ in range(50):
        assert one.take()
        assert not other.take()
        one.release()
        assert other.take()
        other.release()


def test_leases_of_two_workers_do_not_meet(database: Postgres):
    one, other = Lease(database, "replay"), Lease(database, "recommender")
    assert (one.take(), other.take()) == (True, True)
    one.release()
    other.release()

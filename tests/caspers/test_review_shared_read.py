"""Those who ask at the same time share a read, and nobody gets an answer from before they asked."""

import asyncio
import threading
from itertools import count

import pytest
from caspers.review.shared_read import SharedRead


def test_many_who_ask_at_once_cost_few_reads():
    async def ask() -> list[int]:
        shared = SharedRead(count(1).__next__)
        return await asyncio.gather(*(shared.get() for _ in range(100)))

    assert max(asyncio.run(ask())) <= 2


def test_who_asks_during_a_read_gets_the_one_after_it():
    begun, go_on = threading.Event(), threading.Event()
    numbers = count(1)

    def read() -> int:
        number = next(numbers)
        begun.set()
        go_on.wait(10)
        return number

    async def ask() -> tuple[int, int]:
        shared = SharedRead(read)
        first = asyncio.create_task(shared.get())
        await asyncio.to_thread(begun.wait, 10)
        second = asyncio.create_task(shared.get())
        await asyncio.to_thread(go_on.set)
        return await first, await second

    assert asyncio.run(ask()) == (1, 2)


def test_a_failing_read_fails_those_who_share_it_and_no_one_after():
    answers = iter([ZeroDivisionError(), 7])

    def read() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask() -> int:
        shared = SharedRead(read)
        with pytest.raises(ZeroDivisionError):
            await shared.get()
        return await shared.get()

    assert asyncio.run(ask()) == 7

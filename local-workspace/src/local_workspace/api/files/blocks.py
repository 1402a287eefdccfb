"""Request bodies in blocks that are worth writing."""

from collections.abc import AsyncIterator

BLOCK_BYTES = 4 * 1024 * 1024


async def blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A body's small chunks, gathered so that each write is worth its way to a thread."""
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        if len(gathered) >= BLOCK_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)

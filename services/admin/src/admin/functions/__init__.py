"""The SQL functions of the demo, one file each: what agents and people ask about an order.

A definition names the schemas that it reads by their role, as `{lakeflow}`; the resource kind puts in the names
of the demo that the function is made for.
"""

from pathlib import Path

FOLDER = Path(__file__).parent


def definitions() -> dict[str, str]:
    """The text of every function by its name."""
    return {file.stem: file.read_text() for file in sorted(FOLDER.glob("*.sql"))}

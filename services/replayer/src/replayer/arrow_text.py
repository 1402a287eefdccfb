"""Arrow's compute functions, and text made with them column by column instead of in a Python loop."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

#: Arrow makes these functions at import, so a type checker cannot see them.
compute: Any = pyarrow.compute


def joined(*parts: str | pa.Array) -> pa.Array:
    """Each row's parts one after the other; a plain string stands in every row. A null part makes the row null."""
    columns = [pa.scalar(part) if isinstance(part, str) else part for part in parts]
    return compute.binary_join_element_wise(*columns, pa.scalar(""))


def joined_lists(lists: pa.Array, separator: str) -> pa.Array:
    """Each row's list of strings as one string."""
    return compute.binary_join(lists, pa.scalar(separator))


def as_text(values: pa.Array | np.ndarray) -> pa.Array:
    """Numbers as their shortest exact text."""
    return pa.array(values).cast(pa.string())

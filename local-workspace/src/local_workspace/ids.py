"""Identifiers of what the workspace creates."""

import secrets
import uuid


def new_uuid() -> str:
    """A random UUID in its usual form: tables, pipelines, updates, operations."""
    return str(uuid.uuid4())  # noqa: TID251  this is the source of ids


def new_hex() -> str:
    """Sixteen hexadecimal digits, the form of warehouse ids."""
    return secrets.token_hex(8)


def new_number() -> int:
    """A positive number below 2^53: jobs, runs, service principals, workspace objects."""
    return secrets.randbelow(2**52) + 1


def new_secret(prefix: str) -> str:
    """A secret that cannot be guessed, with a prefix that says what it is for."""
    return prefix + secrets.token_hex(20)

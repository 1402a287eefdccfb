"""Processes by their command lines."""

import psutil


def descendants(pid: int, named: str) -> list[psutil.Process]:
    """The processes below this one whose command line holds `named`; none if it is gone itself."""
    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [process for process in below if named in _command_line(process)]


def _command_line(process: psutil.Process) -> str:
    """Empty for one that was killed, which has none any more."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""

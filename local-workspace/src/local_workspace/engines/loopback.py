"""Loopback addresses: one for each server that clients should find by host name alone."""

import platform
import secrets
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """A host and a port on this machine."""

    host: str
    port: int


def own_address(standard_port: int) -> Address:
    """An unused 127.x.y.z with the standard port where the system has a whole loopback network (Linux), or 127.0.0.1 and a free port."""
    if platform.system() == "Linux":
        numbers = (64 + secrets.randbelow(190), secrets.randbelow(256), 1 + secrets.randbelow(254))
        address = Address("127." + ".".join(map(str, numbers)), standard_port)
        if is_free(address):
            return address
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", probe.getsockname()[1])


def is_free(address: Address) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError:
            return False
        return True

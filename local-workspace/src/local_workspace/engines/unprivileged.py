"""Run a program as the user `nobody`, for servers that refuse to run as root: python unprivileged.py PROGRAM [ARGUMENT…].

The program keeps one capability, to pass directories that are closed to others (a checkout below /root, for instance),
so nothing outside the home must be opened up for it. The parent-death signal that was set for us is set again, because
a change of user clears it. Linux only, as only there somebody works as root.
"""

import ctypes
import os
import pwd
import sys
from contextlib import suppress

# linux/prctl.h and linux/capability.h
PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT = 1, 2, 8, 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
USER = "nobody"


def main() -> None:
    """Become the unprivileged user, then the program."""
    libc = ctypes.CDLL(None, use_errno=True)
    signal_at_parents_death = ctypes.c_int()
    _check(libc.prctl(PR_GET_PDEATHSIG, ctypes.byref(signal_at_parents_death), 0, 0, 0))
    _check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
    account = pwd.getpwnam(USER)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    with suppress(PermissionError):  # a container may not have it to give; then the paths must be open
        _keep_only(libc, CAP_DAC_OVERRIDE)
    _check(libc.prctl(PR_SET_PDEATHSIG, signal_at_parents_death, 0, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  this is what the program is for


def _keep_only(libc: ctypes.CDLL, capability: int) -> None:
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    _check(libc.capset(header, effective_permitted_inheritable))
    _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main()

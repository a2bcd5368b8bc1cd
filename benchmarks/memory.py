"""What a process holds in memory, from ``/proc``: ``getrusage`` counts its parent's as well."""

from pathlib import Path

_KIB_A_MIB = 1024


def mebibytes(of: str = "VmHWM") -> int:
    """Most memory that this process has held so far, or what it holds now (``VmRSS``), in MiB.

    Raises:
        LookupError: the system does not tell.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{of}:"):
            return int(line.split()[1]) // _KIB_A_MIB
    raise LookupError(f"/proc/self/status has no {of}")

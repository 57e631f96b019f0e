"""On what a benchmark was run: figures mean little without it."""

import os
import platform


def machine() -> str:
    """Return this machine in words: system, processor, cores, Python."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"

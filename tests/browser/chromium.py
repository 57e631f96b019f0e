"""Which Chromium the browser tests drive. Run as a script, it makes sure that there is one; `make test` does so first.

python tests/browser/chromium.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

SYSTEM = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
HERE_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
INSTALL = ("playwright", "install", "--no-shell", "chromium")


def installed(playwright: Playwright) -> str | None:
    """The path of Playwright's own Chromium, or else of the system's Chromium or Chrome; None where there is none."""
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else next(filter(None, map(shutil.which, SYSTEM)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium without a window. It finds no machine but this one, so that no test depends on a network."""
    with sync_playwright() as playwright:
        path = installed(playwright)
        if path is None:
            command = " ".join(INSTALL)
            raise FileNotFoundError(
                "The tests of the course in a browser need Chromium or Chrome, and none is installed. Run "
                f"`{sys.executable} -m {command}`, or on Debian `apt-get install chromium`."
            )
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0  # Chromium's sandbox does not run as root
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=not as_root, args=[HERE_ONLY])
        yield browser
        browser.close()


if __name__ == "__main__":
    with sync_playwright() as started:
        found = installed(started)
    if found is None:
        sys.exit(subprocess.run([sys.executable, "-m", *INSTALL]).returncode)

"""A real JupyterLab for tests, and what a user does in it: open a notebook, run a cell, restart the kernel."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from live_service import TIMEOUT, wait_until
from playwright.sync_api import Locator, Page, expect

KERNEL = "Python 3 (ipykernel)"
SETTINGS = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")  # JUPYTER_…: the user's own Jupyter is neither read nor changed


class Lab:
    """A JupyterLab that shows the notebooks of `root`; `environment` is that of its kernels."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.root, self.token, self._folder = folder / "notebooks", secrets.token_hex(16), folder
        self.root.mkdir()
        own = {f"JUPYTER_{name}": str(folder / name.lower()) for name in SETTINGS}
        self._set("apputils-extension", "notification", {"fetchNews": "false", "checkForUpdates": False})
        self._set("notebook-extension", "tracker", {"windowingMode": "none"})  # every cell is on the page, as in print
        self._environment = {**os.environ, **environment, **own, "IPYTHONDIR": str(folder / "ipython")}

    def _set(self, extension: str, plugin: str, settings: dict[str, Any]) -> None:
        """Change settings of JupyterLab's."""
        file = self._folder / "config_dir/lab/user-settings/@jupyterlab" / extension / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(settings))

    @contextmanager
    def running(self) -> Iterator[Lab]:
        """The lab on a free port, until the block ends."""
        options = {
            "ServerApp.root_dir": self.root,
            "ServerApp.port": 0,
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": True,
            "IdentityProvider.token": self.token,
        }
        command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
        with (self._folder / "lab.log").open("wb") as log:
            process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=subprocess.STDOUT)
        told = self._folder / "runtime_dir" / f"jpserver-{process.pid}.json"
        try:
            wait_until(lambda: told.exists() and told.read_text().endswith("}"), TIMEOUT)
            self.url = json.loads(told.read_text())["url"]
            yield self
        finally:
            process.terminate()
            process.wait(timeout=30)

    def write(self, name: str, *cells: str) -> None:
        """Write a notebook of code cells into `root`."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": KERNEL}
        nbformat.write(notebook, self.root / name)

    def open(self, page: Page, name: str) -> None:
        """Open a notebook and wait until its kernel can take a cell."""
        page.goto(f"{self.url}lab/tree/{name}?reset&token={self.token}")
        expect(page.get_by_role("button", name=f"{KERNEL} | Idle")).to_be_visible(timeout=TIMEOUT * 1000)


def run_cell(page: Page, number: int = 0) -> Locator:
    """Click into a code cell and press Ctrl+Enter; return the place of its outputs."""
    cell = page.locator(".jp-CodeCell").nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    return cell.locator(".jp-Cell-outputArea")


def restart_kernel(page: Page) -> None:
    """Press 0 twice beside the cells, as JupyterLab's shortcuts have it, and say yes."""
    page.locator(".jp-CodeCell .cm-content").first.click()
    for key in ("Escape", "0", "0"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(page.get_by_role("button", name="Confirm Kernel Restart")).to_have_count(0)

"""The course in a real JupyterLab and a real Chromium: what a learner presses, and what is on the screen then."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from chromium import chromium
from lab import Lab, restart_kernel, run_cell
from live_service import TIMEOUT, LiveService, examples
from playwright.sync_api import Browser, Locator, Page, expect

TESTS = Path(__file__).parent.parent
NOTEBOOKS = TESTS.parent / "notebooks"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, service: LiveService) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    known = {"FINETUNE_HEADLESS": "", "FINETUNE_BUILD": str(folder / "build"), "PYTHONPATH": str(TESTS)}
    with Lab(folder, {**known, "URL": service.url, "KEY": service.key}).running() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(TIMEOUT * 1000)
    expect.set_options(timeout=TIMEOUT * 1000)
    yield page
    page.close()


def press(outputs: Locator, letter: str) -> None:
    """Type a letter into the keys box of a page of widgets."""
    outputs.get_by_label("Keys").press_sequentially(letter)


def test_a_reviewer_decides_by_keyboard_and_goes_on_after_a_restart(lab: Lab, page: Page) -> None:
    data = lab.root / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in examples(5)))
    lab.write("review.ipynb", 'from helpers.review import review\nreview("train.jsonl", "ann")')
    lab.open(page, "review.ipynb")
    shown = run_cell(page)
    expect(shown.get_by_text("example 1 of 5")).to_be_visible()
    press(shown, "a")
    expect(shown.get_by_text("Line 1: accept is saved.")).to_be_visible()
    press(shown, "1")  # the first tag
    shown.get_by_label("Reply").fill("A better reply.")
    press(shown, "e")
    expect(shown.get_by_text("Line 2: edit is saved.")).to_be_visible()
    press(shown, "r")
    expect(shown.get_by_text("Line 3: reject is saved.")).to_be_visible()
    kept = [json.loads(line) for line in (lab.root / "train.review-ann.jsonl").read_text().splitlines()]
    assert [(row["line"], row["decision"]) for row in kept] == [(1, "accept"), (2, "edit"), (3, "reject")]
    assert kept[1]["messages"][-1]["content"] == "A better reply."
    assert kept[1]["tags"] == ["bias"]
    restart_kernel(page)
    expect(run_cell(page).get_by_text("example 4 of 5")).to_be_visible()


def test_a_rater_chooses_by_keyboard_and_goes_on_after_a_restart(lab: Lab, page: Page) -> None:
    lab.write(
        "sides.ipynb",
        "from made_evaluation import made\n"
        "from helpers.side_by_side import side_by_side\n"
        'first = made(["bad 1", "bad 2", "bad 3"], system="base", model="base")\n'
        'side_by_side(first, made(["good 1", "good 2", "good 3"]), "ben")',
    )
    lab.open(page, "sides.ipynb")
    shown = run_cell(page)
    for number, letter in enumerate("lre", start=1):
        expect(shown.get_by_text(re.compile(rf"\b{number - 1} chosen for"))).to_be_visible()
        press(shown, letter)
    expect(shown.get_by_text(re.compile(r"\b3 chosen for"))).to_be_visible()
    [kept] = lab.root.parent.rglob("*ben*.jsonl")
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [row["rater"] for row in rows] == ["ben"] * 3
    assert rows[2]["winner"] == "tie" and {rows[0]["winner"], rows[1]["winner"]} <= {"first", "second"}
    restart_kernel(page)
    expect(run_cell(page).get_by_text(re.compile(r"\b3 chosen for"))).to_be_visible()


def test_the_watchers_bar_moves_and_its_result_stays(lab: Lab, page: Page) -> None:
    lab.write(
        "watch.ipynb",
        "import io, json, os, openai\n"
        "from live_service import examples\n"
        "from helpers.watch import training_metrics, watch\n"
        'client = openai.OpenAI(base_url=os.environ["URL"], api_key=os.environ["KEY"])\n'
        'rows = "".join(json.dumps(row) + "\\n" for row in examples(20)).encode()\n'
        'file = client.files.create(file=("train.jsonl", rows), purpose="fine-tune")\n'
        'settings = {"n_epochs": 20, "batch_size": 1}\n'
        'job = client.fine_tuning.jobs.create(model="tiny", training_file=file.id, hyperparameters=settings)\n'
        "job = watch(client, job.id)",
        "from helpers import plots\n"
        "metrics = training_metrics(client, job.id)\n"
        "plots.show(plots.loss_curves(metrics), alt=plots.describe_curves(metrics))",
    )
    lab.open(page, "watch.ipynb")
    page.evaluate(
        """() => { window.widths = new Set(); setInterval(() => document.querySelectorAll(".progress-bar").forEach(
            bar => window.widths.add(bar.style.width)), 50) }"""
    )
    shown = run_cell(page)
    expect(shown.get_by_text(re.compile("400/400 steps"))).to_be_visible()
    expect(shown.locator(".progress-bar")).to_have_count(0)  # the live widgets have gone
    widths = page.evaluate("[...window.widths]")
    assert len(widths) >= 3, widths
    plot = run_cell(page, 1)
    assert_seen(plot.locator("img"))
    plot.get_by_text("The picture in words").click()
    expect(plot.get_by_text(re.compile("training loss", re.IGNORECASE))).to_be_visible()


def test_a_committed_notebook_is_readable_as_it_lies_there(lab: Lab, page: Page) -> None:
    shutil.copy(NOTEBOOKS / "03_fine_tuning.ipynb", lab.root / "03.ipynb")
    lab.open(page, "03.ipynb")
    pictures = page.locator(".jp-OutputArea-output img")
    expect(pictures.first).to_be_attached()
    for number in range(pictures.count()):
        pictures.nth(number).scroll_into_view_if_needed()
        assert_seen(pictures.nth(number))
    too_wide = page.evaluate(
        """() => [...document.querySelectorAll(".jp-OutputArea-output pre")]
            .filter(text => text.scrollWidth > text.clientWidth + 1).map(text => text.textContent.slice(0, 80))"""
    )
    assert too_wide == []


def assert_seen(picture: Locator) -> None:
    """The picture is there, loaded, and no wider than its cell."""
    expect(picture).to_be_visible()
    size = picture.evaluate("i => [i.naturalWidth, i.clientWidth, i.closest('.jp-Cell').clientWidth]")
    assert size[0] > 300 and 300 < size[1] <= size[2], size


SCRIPT = """async ([url, key]) => {
    const body = '{"model": "tiny", "messages": [{"role": "user", "content": "hello"}]}'
    const ways = {
        "a plain read": [url + "/models", {}],
        "a read with the key": [url + "/models", {headers: {Authorization: "Bearer " + key}}],
        "a form's post": [url + "/chat/completions", {method: "POST", headers: {"Content-Type": "text/plain"}, body}],
        "a post with the key": [url + "/chat/completions", {method: "POST", body,
            headers: {"Content-Type": "application/json", Authorization: "Bearer " + key}}],
    }
    const seen = {}
    for (const [name, [address, options]] of Object.entries(ways))
        seen[name] = await fetch(address, options).then(answer => answer.status, error => error.name)
    return seen
}"""


def test_another_sites_page_does_not_reach_the_service(page: Page, service: LiveService, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>Another site</title>")
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    with site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        page.goto(f"http://localhost:{site.server_port}/")
        seen = page.evaluate(SCRIPT, [service.url, service.key])
        site.shutdown()
    assert seen == dict.fromkeys(seen, "TypeError")  # what fetch says of an answer that it may not show
    page.goto(service.url)  # the same requests from the service's own address arrive, so it is the site that matters
    own = page.evaluate(SCRIPT, [service.url, service.key])
    assert own == {"a plain read": 401, "a read with the key": 200, "a form's post": 401, "a post with the key": 200}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

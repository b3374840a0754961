"""The whole way in a real browser: answer, price, data, launch, a killed server, verdict, chat; then every page.

Screenshots of every page, light and dark, wide and narrow, go to `screenshots/` (ignored by git).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import open_store
from tests.journey.conftest import ROOT, STEP_MS, App
from tests.training.conftest import chat, colour_rows, write_rows

PAGES = ("advise", "data", "jobs", "judge", "shelf", "chat", "plans", "prices", "settings")
WIDTHS = (1280, 390)
MOST_PIXELS = 9_000
MAIN = ".stMain"
TRAIN_MS = 300_000
pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser's console calls an error.

    Two are none: the connection that the killed server drops, and Streamlit's own probes below a page's address.
    """
    found: list[str] = []

    def note(message: Any) -> None:
        dropped = re.search(r"ERR_CONNECTION|WebSocket|net::|disconnected from server", message.text)
        probe = "/_stcore/" in message.location.get("url", "")
        if message.type == "error" and not dropped and not probe:
            found.append(f"{message.text} ({message.location.get('url', '')})")

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    yield found


def key(name: str) -> str:
    """The selector of a widget with that key, as Streamlit writes it into the page."""
    return f".st-key-{re.sub(r'[^a-zA-Z0-9_-]', '-', name)}"


def settled(page: Page) -> None:
    """Until the script has run to its end."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=STEP_MS)


def set_value(page: Page, label: str, value: str) -> None:
    field = page.get_by_role("textbox", name=label, exact=True).or_(
        page.get_by_role("spinbutton", name=label, exact=True)
    )
    field.fill(value)
    field.press("Tab")
    settled(page)


def kept(page: Page, holds: Callable[[JobSpec], bool]) -> None:
    """Until the plan's spec holds what was entered, and the page has drawn it."""
    for _ in range(STEP_MS // 100):
        spec = open_store().plans()[0].spec
        if spec is not None and holds(spec):
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError(f"not kept: {open_store().plans()[0].spec}")
    settled(page)


def answer_the_wizard(page: Page) -> None:
    expect(page.get_by_role("heading", name="Recommended: zero-shot API")).to_be_visible()
    set_value(page, "What should the model do?", "Turn orders for paint into the two words that the shop's till knows.")
    for question, answer in (
        ("format_strictness", "Very high"), ("privacy", "Strict: stays here"), ("knowledge_need", "Low"),
    ):  # fmt: skip
        page.locator(key(f"answer.{question}")).get_by_role("radio", name=answer).click()
        settled(page)
    for question, choice in (("task_kind", "Extract fields"), ("prompt_tried", "30 examples or more")):
        page.locator(key(f"answer.{question}")).get_by_role("combobox").click()
        page.get_by_role("option", name=choice).click()
        settled(page)
    set_value(page, "Calls per month", "200000")
    set_value(page, "Examples with the right answer", "480")
    expect(page.get_by_role("heading", name=re.compile("Recommended: self-hosted fine-tuning"))).to_be_visible()


def upload_rows(page: Page, path: Path) -> None:
    launch = page.locator(key("launch.source.none"))
    settled(page)
    expect(launch).to_have_count(1)  # what an earlier run drew elsewhere is taken away at the end of the next
    launch.get_by_role("radio", name="Upload a file").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(path)
    expect(page.get_by_text("See the rows and their findings")).to_be_visible()
    settled(page)


def launch_a_tune(page: Page, base: Path) -> None:
    model = page.locator(key("launch.base_model")).get_by_role("combobox")
    model.click()
    model.fill(str(base))
    model.press("Enter")
    kept(page, lambda spec: spec.base_model == str(base))
    page.locator(key("launch.settings")).get_by_text("Settings").click()
    for label, value, holds in (
        ("Epochs", "40", lambda spec: spec.epochs == 40),
        ("Learning rate", "0.01", lambda spec: spec.learning_rate == 0.01),
        ("Early stopping", "1000", lambda spec: spec.early_stopping == 1000),
    ):
        set_value(page, label, value)
        kept(page, holds)
    button = page.get_by_role("button", name="Tune and judge", exact=True)
    expect(button.last).to_be_enabled()
    set_value(page, "Decided by", "The shop's owner")
    button.last.click()
    expect(page.get_by_text(re.compile(r"\d jobs started"))).to_be_visible()


def jobs_of_the_plan() -> dict[str, RunFolder]:
    """{kind: folder} of what was launched."""
    return {record.kind: RunFolder.of(record.id) for record in open_store().jobs()}


def last_step(folder: RunFolder) -> int:
    return max((event.step for event in RunFolder(folder.path).events() if event.kind == "step"), default=0)


def test_the_whole_way(app: App, page: Page, complaints: list[str], tiny_base: Path, tmp_path: Path) -> None:
    data = [
        chat(f"{greeting} {row['messages'][0]['content']}", row["messages"][1]["content"])
        for greeting in ("Hello!", "Dear shop,", "Order 7:")
        for row in colour_rows()
    ]
    write_rows(tmp_path / "paint.jsonl", data)
    page.goto(app.url)
    answer_the_wizard(page)
    expect(page.locator(key("advise.curves")).locator(".scatterlayer .trace").first).to_be_visible()
    expect(page.get_by_text("Off the chart:")).to_be_visible()
    upload_rows(page, tmp_path / "paint.jsonl")
    launch_a_tune(page, tiny_base)

    page.get_by_role("link", name=re.compile("See the .* jobs of this plan")).click()
    page.get_by_role("link", name="Train").first.click()
    page.wait_for_url(re.compile("job="))
    expect(page.get_by_test_id("stProgress").first).to_contain_text(re.compile(r"step \d"), timeout=TRAIN_MS)
    address = page.url
    training = jobs_of_the_plan()["train"]
    seen = last_step(training)
    assert training.outcome() is None, "the training was over before the server could be killed"
    app.kill()
    expect(page.get_by_test_id("stProgress").first).to_be_visible()
    for _ in range(100):
        if last_step(training) > seen:
            break
        page.wait_for_timeout(200)
    assert last_step(training) > seen, "no step was made while the page's server was dead"
    app.start()
    page.goto(address)
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=TRAIN_MS)
    expect(page.locator(key("jobs.loss")).locator(".scatterlayer .trace")).to_have_count(2)

    page.get_by_role("link", name="See the verdict").click()
    heading = page.get_by_role("heading", name=re.compile("Worth it|Not worth it|Do not ship it|Not enough evidence"))
    expect(heading.first).to_be_visible(timeout=TRAIN_MS)
    expect(page.get_by_text("base with the best prompt", exact=False).first).to_be_visible()

    page.get_by_role("link", name="Chat with it").click()
    page.get_by_role("button", name="Load the model").click()
    expect(page.get_by_role("button", name="Unload now")).to_be_visible(timeout=TRAIN_MS)
    settled(page)
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_enabled()
    box.fill("Hello! Please paint the boat red.")
    expect(box).to_have_value("Hello! Please paint the boat red.")
    box.press("Enter")
    expect(page.get_by_text(re.compile(r"\d+ tokens? in"))).to_have_count(2, timeout=STEP_MS)

    plan = open_store().plans()[0]
    assert plan.decided_by == "The shop's owner"
    assert plan.recommendation == "ft_self"
    assert plan.evaluation_plan is not None and plan.verdict is not None
    assert set(plan.cost_summary["usd_p50"]) >= {"zero_shot", "ft_self"}
    assert look_at_every_page(app, page, f"plan={plan.id}") == []
    assert complaints == []


def look_at_every_page(app: App, page: Page, query: str) -> list[str]:
    """Screenshots of all pages in both schemes and widths. Returns what is wrong with them."""
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    wrong = []
    for name in PAGES:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        page.goto(f"{app.url}/{'' if name == 'advise' else name}?{query}")
        expect(page.locator(MAIN).get_by_role("heading", level=1)).to_be_visible(timeout=STEP_MS)
        settled(page)
        if page.get_by_test_id("stException").count():
            wrong.append(f"{name}: an exception is on the page")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(300)
            height = page.locator(MAIN).evaluate("main => main.scrollHeight")
            page.set_viewport_size({"width": width, "height": min(height + 80, MOST_PIXELS)})
            wide = page.locator(MAIN).evaluate("main => main.scrollWidth")
            if wide > width:
                wrong.append(f"{name}: {wide} pixels wide in a window of {width}")
            backgrounds = set()
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(400)
                backgrounds.add(page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor"))
                page.screenshot(path=folder / f"{name}-{scheme}-{width}.png")
            if len(backgrounds) != 2:
                wrong.append(f"{name}: light and dark look the same at {width}")
    return wrong

"""The section on how many examples are enough: none yet, under way, failed, and each verdict with its curve."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.learning_view import LOOKS, chart, chart_in_words, table
from backends.fake import FakeEngine
from backends.learning import LearningJobs, launch_learning
from core.job import JobState
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import open_store
from evaluation.learning_curve import curve_of_rows
from tests.evaluation.test_learning_curve import report, scores
from tests.training.conftest import colour_rows, write_rows

APP = str(Path(__file__).parents[2] / "app.py")
RIGHT = {"label_more": [200, 260, 308], "stop": [308, 308, 308]}
CURVE = curve_of_rows([40, 120, 400], scores(RIGHT["label_more"], 400), metric_words="exact match")


def page() -> None:
    from app_pages import learning_view
    from core.store import open_store

    learning_view.section(open_store())


def opened() -> AppTest:
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    parts = [*app.subheader, *app.markdown, *app.caption, *app.success, *app.info, *app.warning, *app.error, *app.code]
    return "\n".join(str(part.value) for part in parts)


@pytest.fixture
def jobs(tmp_path: Path) -> LearningJobs:
    files = {
        "dataset": write_rows(tmp_path / "train.jsonl", colour_rows()[:40]),
        "test": write_rows(tmp_path / "test.jsonl", colour_rows()[40:]),
    }
    return launch_learning(open_store(), JobSpec(engine="fake", name="Col*urs", fake={"seconds": 0.05}, **files))  # type: ignore[arg-type]


def judged(jobs: LearningJobs, right: list[int]) -> None:
    for share, values in zip(jobs.shares, scores(right, 400), strict=True):
        report(values).save(RunFolder.of(share.judge).evaluation_file)


def test_without_a_curve_it_says_how_to_get_one() -> None:
    assert "tuneworthy learning-curve SPEC --wait" in text(opened())


def test_under_way_it_says_where_each_size_is(jobs: LearningJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEngine, "poll", lambda self, ref: JobState(state="running"))
    said = text(opened())
    assert all(f"{share.rows} rows: train" in said for share in jobs.shares) and "Running" in said


def test_a_failed_job_is_told(jobs: LearningJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEngine, "poll", lambda self, ref: JobState(state="failed", reason="Out of memory."))
    assert "stays unfinished" in opened().error[0].value


@pytest.mark.parametrize("verdict", RIGHT)
def test_a_verdict_is_told_in_words_with_its_numbers(jobs: LearningJobs, verdict: str) -> None:
    judged(jobs, RIGHT[verdict])
    app = opened()
    told = {"label_more": app.success, "stop": app.info}[verdict]
    assert told[0].icon == LOOKS[verdict].icon and "more labels would" in told[0].value
    assert "400 judged rows" in text(app) and "Each size was trained once" in text(app)


def test_the_judge_page_shows_the_curve_below_its_verdicts(jobs: LearningJobs) -> None:
    judged(jobs, RIGHT["label_more"])
    app = AppTest.from_file(APP, default_timeout=30).run().switch_page("app_pages/judge.py").run()
    assert not app.exception and not app.error
    assert app.subheader[-1].value == "How many examples are enough"
    assert "more labels would" in app.success[-1].value


def test_the_chart_shows_every_point_and_the_band_to_twice_the_rows() -> None:
    band, line, points = chart(CURVE).data
    assert list(points.x) == [40, 120, 400] and max(line.x) == 800 == max(band.x)
    assert max(band.y) <= 1 and len(band.x) == 2 * len(line.x)
    words = chart_in_words(CURVE)
    assert all(f"{row['Training rows']}" in words and row["Score"] in words for row in table(CURVE))
    assert [row["From"] for row in table(CURVE)] == ["measured"] * 3 + ["the curve"] * 2

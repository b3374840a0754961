"""How steady the scores are, on the Judge page."""

from __future__ import annotations

from app_pages.noise_view import sentences, table
from app_pages.task_details_view import sentences as beside_the_score
from evaluation.consistency import consistency
from evaluation.noise import decoding_noise
from evaluation.report import EvaluationReport
from evaluation.seeds import seed_noise
from evaluation.task_details import TaskDetails
from tests.pages.judgements import WORTH_IT, evaluated, opened, report_of, text


def unsteady() -> EvaluationReport:
    seeds = seed_noise({("job-a", 7): [1.0] * 36 + [0.0] * 4, ("job-b", 8): [1.0] * 34 + [0.0] * 6})
    noise = decoding_noise([0.0] * 40, [1.0] + [0.0] * 39, judged=40)
    varied = consistency({"tuned": [["on its way", "on its way", "paid"]] * 10}, seed=1)
    return report_of(WORTH_IT).model_copy(
        update={"noise": noise, "seeds": seeds, "details": TaskDetails(consistency=varied)}
    )


def test_noise_and_seeds_are_said_and_what_they_do_to_the_intervals() -> None:
    said = sentences(unsteady())
    assert said[0] == "Asked again, the base changed its mark on 1 of 40 rows: noise of 1.8 points."
    assert said[1].startswith("2 seeds of training score 0.90 and 0.85") and "wider" in said[2]
    steady = unsteady().model_copy(update={"seeds": None, "noise": decoding_noise([1.0], [1.0], judged=1)})
    assert len(sentences(steady)) == 1 and "no noise" in sentences(steady)[0]
    assert sentences(report_of(WORTH_IT)) == [] and table(report_of(WORTH_IT)) == []


def test_each_seed_has_a_row_and_the_judged_one_is_told_from_the_others() -> None:
    rows = table(unsteady())
    assert [row["Seed"] for row in rows] == ["7", "8"]
    assert rows[0]["Training"].endswith("(judged here)") and not rows[1]["Training"].endswith("(judged here)")
    assert rows[0]["Score by the rows"].startswith("0.90 (0.77")


def test_consistency_stands_beside_the_score() -> None:
    said = beside_the_score(unsteady())
    assert said[0].startswith("**Consistency, tuned**: asked 3 times with chance")


def test_it_is_on_the_page() -> None:
    app = opened(job=evaluated(unsteady()).id)
    assert not app.exception
    assert "How steady it is" in text(app) and "changed its mark on 1 of 40 rows" in text(app)

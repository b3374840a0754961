"""Each verb: one JSON object with `--json`, words for people without, and an exit code that a script can trust."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core.answers import APPROACHES
from core.run_folder import RunFolder
from core.store import open_store

from .conftest import Said, Tune

ROOT = Path(__file__).resolve().parents[2]
FAKE = {"engine": "fake", "name": "Try", "fake": {"seconds": 0.2}}


def write(path: Path, value: object) -> Path:
    path.write_text(yaml.safe_dump(value))
    return path


def one_line(said: Said) -> str:
    """The only line on standard error. Bad input gets no traceback and no output."""
    assert said.code == 2 and said.out == ""
    assert said.err.startswith("tuneworthy: ") and len(said.err.strip().splitlines()) == 1, said.err
    return said.err


def test_advise_ranks_all_approaches_with_sources(tune: Tune, tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", {"answers": {"task_kind": "qa", "knowledge_freshness": "daily"}})
    said = tune("advise", file, "--json")
    assert said.code == 0
    advice = said.json
    assert {row["approach"] for row in advice["ranking"]} >= set(APPROACHES)
    assert advice["ranking"][0]["approach"] == advice["recommendation"]
    assert {row["verdict"] for row in advice["ranking"]} <= {"recommended", "acceptable", "avoid"}
    reasons = [reason for row in advice["ranking"] for reason in row["reasons"]]
    assert reasons and all(reason["rule"] and reason["because"] and reason["source"] for reason in reasons)
    assert {"assumptions", "conflicts", "flips", "questions"} <= advice.keys()
    assert all({"field", "from", "to", "then"} <= flip.keys() for flip in advice["flips"])
    words = tune("advise", file)
    assert words.code == 0 and words.out.startswith(f"Recommended: {APPROACHES[advice['recommendation']]}")


def test_cost_prints_the_curves_of_the_contract(tune: Tune, tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", {"answers": {"volume_per_month": 100_000}, "months": 12, "seed": 3})
    report = tune("cost", file, "--json").json
    assert report["months"] == list(range(13))
    for band in report["curves"].values():
        for low, middle, high in zip(band["p10"], band["p50"], band["p90"], strict=True):
            assert low <= middle <= high
    assert all({"cheaper", "than", "month_p50", "never"} <= point.keys() for point in report["break_even"])
    assert all({"item", "amount", "unit", "valid_from", "checked", "source"} <= row.keys() for row in report["prices"])
    item = report["prices"][0]["item"]
    dearer = write(tmp_path / "d.yaml", {"answers": {"volume_per_month": 100_000}, "prices": {item: 1e6}, "months": 12})
    changed = tune("cost", dearer, "--json").json
    assert next(row for row in changed["prices"] if row["item"] == item)["amount"] == 1e6
    assert changed["curves"] != report["curves"]
    assert "month 12" in tune("cost", file).out


def test_prices_say_when_they_were_checked(tune: Tune) -> None:
    said = tune("prices", "--json")
    assert said.code == 0 and all(row["source"] and row["checked"] for row in said.json["prices"])
    old = tune("prices", "--stale", "0", "--json")
    assert (old.code == 1) == bool(old.json["prices"])


def test_check_says_no_to_data_with_errors_and_names_the_lines(tune: Tune, rows_file: Path, tmp_path: Path) -> None:
    said = tune("check", rows_file, "--input", "text", "--output", "label", "--json")
    assert said.code == 0
    report = said.json
    assert report["rows"] == 60 and {"total", "p50", "p95", "max", "tokenizer"} <= report["tokens"].keys()
    broken = tmp_path / "broken.jsonl"
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    broken.write_text("\n".join([json.dumps(row), "{not json", json.dumps(row)]) + "\n")
    said = tune("check", broken, "--json")
    assert said.code == 1
    bad = next(found for found in said.json["findings"] if found["check"] == "bad_line")
    assert bad["rows"] == [2] and bad["severity"] == "error" and bad["fix"]
    assert "bad_line" in tune("check", broken).out


def test_a_prompt_over_columns_is_checked_and_split(tune: Tune, rows_file: Path, tmp_path: Path) -> None:
    prompt = ("--template", "Sort {{it}}: {text}", "--output", "label")
    assert tune("check", rows_file, *prompt, "--json").json["rows"] == 60
    files = tune("split", rows_file, *prompt, "--out", tmp_path / "parts", "--json").json["files"]
    row = json.loads(Path(files["train"]).read_text().splitlines()[0])
    assert row["messages"][0]["content"].startswith("Sort {it}: Where is my parcel")
    copy = tmp_path / "clean.jsonl"
    tune("clean", rows_file, *prompt, "--fix", "exact_duplicate", "--out", copy)
    assert "Sort {it}: Where is my parcel" in copy.read_text()
    said = tune("check", rows_file, "--template", "Sort: {topic}", "--output", "label")
    assert said.code == 2
    assert "no column `topic`" in one_line(said) and "It has: text, label." in one_line(said)


def test_split_writes_three_files_once(tune: Tune, rows_file: Path, tmp_path: Path) -> None:
    call = ("split", rows_file, "--input", "text", "--output", "label", "--out", tmp_path / "parts", "--json")
    found = tune(*call).json
    assert sum(found["rows"].values()) + len(found["left_out"]) == 60
    for name, path in found["files"].items():
        assert len(Path(path).read_text().splitlines()) == found["rows"][name]
    assert "exists already" in one_line(tune(*call))


def test_a_job_is_run_shown_cancelled_resumed_and_deleted(tune: Tune, tmp_path: Path) -> None:
    spec = write(tmp_path / "s.yaml", FAKE)
    done = tune("run", spec, "--wait", "--json")
    assert done.code == 0 and done.json["state"] == "succeeded" and done.json["loss"]
    shown = tune("show", done.json["job_id"], "--json").json
    assert shown["predicted"]["seconds"]["likely"] == pytest.approx(0.2) and shown["measured"]["usd"] == 0
    assert shown["steps"] == shown["total_steps"] == 40

    slow = write(tmp_path / "slow.yaml", FAKE | {"fake": {"seconds": 60.0}})
    job_id = tune("run", slow, "--json").json["job_id"]
    listed = {job["job_id"]: job["state"] for job in tune("jobs", "--json").json["jobs"]}
    assert listed == {done.json["job_id"]: "succeeded", job_id: "running"}
    assert tune("cancel", job_id, "--json").json["state"] == "cancelled"
    assert tune("cancel", job_id, "--json").json["state"] == "cancelled"
    assert tune("resume", job_id, "--json").json["state"] == "running"
    assert "still at work" in one_line(tune("delete", job_id, "--yes", "--json"))
    tune("cancel", job_id)
    assert tune("delete", job_id, "--yes", "--json").json["deleted"]
    assert "no job" in one_line(tune("show", job_id)).lower()


def test_a_failed_job_is_a_no(tune: Tune, tmp_path: Path) -> None:
    spec = write(tmp_path / "s.yaml", FAKE | {"fake": {"seconds": 0.1, "outcome": "failed"}})
    said = tune("run", spec, "--wait", "--json")
    assert said.code == 1 and said.json["state"] == "failed" and said.json["reason"]


def test_estimate_says_before_the_launch(tune: Tune, tmp_path: Path) -> None:
    rows = tmp_path / "train.jsonl"
    row = {"messages": [{"role": "user", "content": "a " * 50}, {"role": "assistant", "content": "b"}]}
    rows.write_text("\n".join(json.dumps(row) for _ in range(40)))
    fits = tune("estimate", write(tmp_path / "s.yaml", {"dataset": str(rows), "device": "cpu"}), "--json")
    assert fits.code == 0 and fits.json["fits"] is True
    for field in ("memory_gib", "seconds", "tokens_per_second", "usd"):
        found = fits.json[field]
        assert found["low"] <= found["likely"] <= found["high"]
    assert sum(fits.json["breakdown"].values()) == pytest.approx(fits.json["memory_gib"]["likely"], rel=0.02)


def test_a_shelf_without_adapters_says_what_to_do(tune: Tune) -> None:
    assert tune("shelf", "--json").json == {"adapters": []}
    assert "tuneworthy run" in tune("shelf").out
    assert "no adapter" in one_line(tune("chat", "job-20260101-00000000", "Hello"))


def test_doctor_says_what_this_machine_can_do(tune: Tune) -> None:
    found = tune("doctor", "--json").json
    assert found["cores"] >= 1 and found["can_train"] is (not found["missing"])


def test_the_app_is_not_opened_to_the_network(tune: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("a server took the place of this process"))
    for address in ("0.0.0.0", "::1", "::", "192.168.1.7", ""):
        assert "no login" in one_line(tune("app", "--address", address))


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("nothing.yaml", b"", "`answers:`"),
        ("list.yaml", b"- 1\n- 2\n", "named fields"),
        ("broken.yaml", b"answers:\n  task_kind: [qa\n", "broken.yaml:"),
        ("binary.yaml", bytes(range(256)), "binary.yaml"),
        ("unknown.yaml", b"answers:\n  volume: 3\n", "volume"),
        ("wrong.yaml", b"answers:\n  volume_per_month: lots\n", "volume_per_month"),
        ("packed.yaml", gzip.compress(b"answers: {}"), "packed.yaml"),
    ],
)
def test_a_file_that_is_no_request_is_one_line(
    tune: Tune, tmp_path: Path, name: str, content: bytes, wanted: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert wanted in one_line(tune("advise", file, "--json"))


def test_wrong_usage_is_one_line(tune: Tune, tmp_path: Path) -> None:
    for call in (("advise",), ("advise", tmp_path / "no.yaml"), ("tune",), ("jobs", "--jsn"), ("show", "../../etc")):
        one_line(tune(*call))


def test_all_mistakes_of_a_spec_are_said_at_once(tune: Tune, tmp_path: Path) -> None:
    said = tune("run", write(tmp_path / "s.yaml", {"epochs": -1, "colour": "red", "method": {"rank": 0}}))
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 3
    assert all(word in said.err for word in ("epochs", "colour", "rank"))
    assert open_store().jobs() == []


def test_help_and_the_light_verbs_import_nothing_heavy(tmp_path: Path) -> None:
    heavy = "torch transformers peft trl openai streamlit plotly pandas sklearn scipy sqlalchemy pydantic"
    script = (
        "import sys, tuneworthy\n"
        "sys.argv = ['tuneworthy', '--help']\n"
        "try: tuneworthy.main()\n"
        "except SystemExit: pass\n"
        f"print('heavy:', [name for name in {heavy.split()} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("heavy: []")


def test_no_verb_loads_a_model_library(tmp_path: Path, rows_file: Path) -> None:
    spec = write(tmp_path / "s.yaml", FAKE)
    answers = write(tmp_path / "a.yaml", {"answers": {"volume_per_month": 1000}})
    calls = [
        ["advise", str(answers)],
        ["cost", str(answers)],
        ["prices"],
        ["check", str(rows_file), "--input", "text", "--output", "label"],
        ["estimate", str(spec)],
        ["run", str(spec), "--wait"],
        ["jobs"],
        ["shelf"],
        ["doctor"],
    ]
    script = (
        "import sys, tuneworthy\n"
        f"for call in {calls!r}:\n"
        "    sys.argv = ['tuneworthy', *call]\n"
        "    try: tuneworthy.main()\n"
        "    except SystemExit as end: assert end.code in (0, 1), (call, end.code)\n"
        "    loaded = [name for name in ('torch', 'transformers', 'peft', 'openai') if name in sys.modules]\n"
        "    assert not loaded, (call, loaded)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_reports_of_finished_judgements_are_printed(tune: Tune, tmp_path: Path) -> None:
    spec = write(tmp_path / "s.yaml", FAKE | {"kind": "evaluate"})
    said = tune("evaluate", spec, "--wait")
    assert said.code == 2 and "left no report" in said.err, "the fake judges nothing and must not pretend to"
    (job,) = open_store().jobs()
    assert RunFolder.of(job.id).spec().kind == "evaluate"

"""The Settings page: hosts, disk, purges, versions; without importing what it lists."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from app_pages.figures import size
from core.home import cache_dir, data_dir
from core.jobspec import JobSpec
from core.store import open_store

ROOT = Path(__file__).parents[2]


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    app.switch_page("app_pages/settings.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def text(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in [*app.markdown, *app.caption])


def plan_with(spec: JobSpec) -> str:
    store = open_store()
    return store.update_plan(store.new_plan("Tickets").id, spec=spec).id


def test_a_base_that_is_not_here_names_the_hosts_that_it_comes_from() -> None:
    app = opened(plan=plan_with(JobSpec()))
    assert not app.exception
    assert "huggingface.co" in text(app).replace("\\", "")


def test_a_plan_without_network_contacts_no_host() -> None:
    app = opened(plan=plan_with(JobSpec(allow_network=False)))
    assert "contacts **no host**: the network is turned off for it" in text(app)
    assert "huggingface.co" not in text(app)


def test_a_plan_on_the_fake_host_contacts_no_host() -> None:
    app = opened(plan=plan_with(JobSpec(engine="fake")))
    assert "contacts **no host**" in text(app)


def test_an_unknown_base_is_a_message_and_the_rest_stands() -> None:
    app = opened(plan=plan_with(JobSpec(base_model="/nowhere/model")))
    assert not app.exception
    assert "/nowhere/model" in app.error[0].value
    assert "Storage" in [header.value for header in app.header]


def test_disk_and_engines_are_listed() -> None:
    app = opened()
    assert not app.exception
    assert "Checkpoints" in app.table[0].value["What"].to_list()
    assert "not yet" in app.table[1].value["Here"].to_list()
    assert "torch" in app.table[2].value["Package"].to_list()


def test_purging_says_first_what_goes() -> None:
    orphan = data_dir() / "upload-1"
    orphan.mkdir()
    (orphan / "train.jsonl").write_text("{}\n", encoding="utf-8")
    app = opened()
    app.button(key="settings.purge.uploads").click().run()
    assert "upload-1" in text(app).replace("\\", "")
    assert orphan.exists(), "deleted before the question was answered"
    app.button(key="settings.purge.uploads").click()
    app.button(key="settings.purge.sure").click()
    app.run()
    assert not orphan.exists()
    assert not app.exception


def test_the_judges_answers_are_named_and_purged_with_the_cache() -> None:
    answers = cache_dir() / "answers" / "0a1b.jsonl"
    answers.parent.mkdir()
    answers.write_text("{}\n", encoding="utf-8")
    app = opened()
    assert "Prepared base models and the judge's answers" in app.table[0].value["What"].to_list()
    app.button(key="settings.purge.cache").click().run()
    assert "the judge's answers" in text(app).replace("\\", "")
    app.button(key="settings.purge.cache").click()
    app.button(key="settings.purge.sure").click()
    app.run()
    assert not app.exception and not answers.exists()


def test_purging_nothing_says_so() -> None:
    app = opened()
    app.button(key="settings.purge.checkpoints").click().run()
    assert "There is nothing to purge." in text(app)


def test_sizes_are_said_as_people_say_them() -> None:
    assert size(1536) == "2 KiB"
    assert size(5 * 2**30) == "5.0 GiB"

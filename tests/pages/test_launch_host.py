"""A managed host in the launch panel: chosen without a key on the page, priced before it is sent, not asked here."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.example_answers import EXAMPLES
from backends.hosts import poller
from backends.openai_managed import OpenAIManagedEngine
from core.jobspec import HostSettings, JobSpec
from core.store import open_store
from dataset.prepare import adopt

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A plan with rows whose spec is a tune at Azure, which still takes jobs; no poller is started."""
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-canary-0a1b2c3d4e5f")
    monkeypatch.setattr(poller, "_start", lambda *_: None)
    store = open_store()
    plan = store.new_plan("Bookings")
    rows = "\n".join(["question,answer", *(f"Move booking {37 * n} of guest {n * n},moved {n}" for n in range(40))])
    host = HostSettings(profile="azure", base_url="https://acme.openai.azure.com/openai/v1/")
    spec = JobSpec(engine="openai", base_model="gpt-4.1-mini", host=host)
    store.update_plan(
        plan.id,
        answers=EXAMPLES[2].answers.model_copy(update={"privacy": "low"}),
        data=adopt(rows.encode(), "rows.csv"),
        spec=spec,
    )
    app = AppTest.from_file(APP, default_timeout=30)
    app.query_params["plan"] = plan.id
    return app.run()


def test_a_tune_at_a_host_is_priced_and_launched_without_a_word_to_the_host(panel: AppTest) -> None:
    assert not panel.exception and not panel.error
    assert panel.selectbox(key="launch.host.profile").value == "azure"
    assert "shuts the base and its tunes down on 2027-04-14" in " ".join(each.value for each in panel.caption)
    assert not any("sk-canary" in str(each.value) for each in [*panel.caption, *panel.text_input, *panel.markdown])
    panel.button(key="launch.go").click().run()
    assert not panel.exception and not panel.error
    (job,) = open_store().jobs()
    assert job.engine == "openai" and job.spec.host.profile == "azure" and job.ref is not None
    assert OpenAIManagedEngine(wake=lambda _profile: None).poll(job.ref).state == "queued"


def test_another_host_brings_its_own_address_and_model(panel: AppTest) -> None:
    panel.selectbox(key="launch.host.profile").set_value("openai").run()
    assert not panel.exception
    (plan,) = open_store().plans()
    assert plan.spec is not None
    assert (plan.spec.host.profile, plan.spec.host.base_url, plan.spec.base_model) == ("openai", "", "gpt-4.1-mini")


def test_over_the_cap_nothing_is_sent(panel: AppTest) -> None:
    panel.number_input(key="launch.host.budget_usd").set_value(0.0).run()
    panel.button(key="launch.go").click().run()
    assert any("the budget is $0.00" in each.value for each in panel.error)
    assert open_store().jobs() == []


def test_rows_that_may_not_leave_are_not_sent(panel: AppTest) -> None:
    store = open_store()
    (plan,) = store.plans()
    assert EXAMPLES[2].answers.privacy == "strict"
    store.update_plan(plan.id, answers=EXAMPLES[2].answers)
    again = AppTest.from_file(APP, default_timeout=30)
    again.query_params["plan"] = plan.id
    again.run()
    assert any("this host would get the rows" in each.value for each in again.error)
    assert again.button(key="launch.go").disabled

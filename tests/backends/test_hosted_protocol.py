"""Every request of ours, and every reply of the fake host, held to a description of the protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest
import yaml

from backends.openai_managed import OpenAIManagedEngine
from core.home import new_id
from core.jobspec import HostSettings

from .fake_host import FakeHost, Fault
from .hosted import ADDRESS, KEY, KEY_VARIABLE, hosted_spec, poller_of, quiet

openapi_core = pytest.importorskip("openapi_core", reason="openapi-core is not installed")
Exchange = tuple[httpx2.Request, httpx2.Response]


class Asked:
    """A request as openapi-core reads one."""

    def __init__(self, request: httpx2.Request, before: str) -> None:
        from openapi_core.datatypes import RequestParameters
        from werkzeug.datastructures import Headers, ImmutableMultiDict

        query = ImmutableMultiDict(parse_qsl(request.url.query.decode()))
        self.parameters = RequestParameters(query=query, header=Headers(list(request.headers.items())))
        self.host_url, self.path = "http://127.0.0.1:9", request.url.path.removeprefix(before)
        self.method, self.body = request.method.lower(), request.content
        self.content_type = request.headers.get("content-type", "application/json")


class Answered:
    """A reply as openapi-core reads one."""

    def __init__(self, response: httpx2.Response) -> None:
        self.data, self.status_code, self.headers = response.content, response.status_code, response.headers
        self.content_type = response.headers.get("content-type", "application/octet-stream")


@pytest.fixture
def exchanges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """All that is said in a supervised job, one on pairs, one that fails, one that is found again, one cancelled."""
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    now = [1_790_000_000.0]
    host, engine = FakeHost(lambda: now[0], seconds=100.0, key=KEY), OpenAIManagedEngine(wake=quiet)
    host.tells_of_moderation = False
    pairs = tmp_path / "pairs.jsonl"
    pair = {
        "input": {"messages": [{"role": "user", "content": "Which colour?"}]},
        "preferred_output": [{"role": "assistant", "content": "Blue."}],
        "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
    }
    pairs.write_text(f"{json.dumps(pair)}\n" * 12, encoding="utf-8")
    spec = hosted_spec(tmp_path)
    settings = HostSettings(
        profile="compatible",
        base_url=ADDRESS,
        n_epochs="auto",
        batch_size=8,
        learning_rate_multiplier=0.5,
        suffix="mine",
    )
    specs = [
        spec.model_copy(update={"validation": spec.dataset, "host": settings}),
        spec.model_copy(update={"objective": "dpo", "dataset": str(pairs), "seed": 11}),
        spec.model_copy(update={"base_model": "will-fail"}),
        spec,
    ]
    assert [problem for each in specs for problem in engine.check(each)] == []
    host.faults = [Fault("POST /fine_tuning/jobs", drop=True, done_first=True)]
    poller = poller_of(host)
    refs = [engine.submit(each, new_id("job")) for each in specs]
    for step in range(5):
        poller._next.clear()
        poller.round()
        now[0] += 10 if step < 3 else 200
        if step == 2:
            engine.cancel(refs[3])
    assert [engine.poll(ref).state for ref in refs] == ["succeeded", "succeeded", "failed", "cancelled"]
    return host.answers


def _said_wrong(description: dict[str, Any], before: str, exchanges: list[Exchange]) -> list[str]:
    from openapi_core import OpenAPI

    spec, wrong = OpenAPI.from_dict(description), []
    for request, response in exchanges:
        asked = Asked(request, before)
        upload = request.method == "POST" and asked.path.endswith("/files")
        for check in (
            lambda asked=asked, upload=upload: None if upload else spec.validate_request(asked),
            lambda asked=asked, got=response: (
                None if asked.path.endswith("/content") else spec.validate_response(asked, Answered(got))
            ),
        ):
            try:
                check()
            except openapi_core.exceptions.OpenAPIError as error:
                wrong.append(f"{request.method} {asked.path}: {error} {error.__cause__}"[:300])
    return wrong


def _shared_description(shared: Path) -> dict[str, Any]:
    path = shared / "openai" / "openapi.yaml"
    if not path.is_file():
        pytest.skip("the host's own description is not beside this clone")
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    found["servers"] = [{"url": "http://127.0.0.1:9"}]
    for parameter in found["paths"]["/fine_tuning/jobs"]["get"]["parameters"]:
        if isinstance(parameter["schema"].get("type"), list):  # which openapi-core cannot read of a parameter
            parameter["schema"]["type"] = parameter["schema"]["type"][0]
    return found


def _own_description() -> dict[str, Any]:
    path = Path(__file__).with_name("host_description.yaml")
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def test_all_that_is_said_follows_our_own_description(exchanges: list[Exchange]) -> None:
    assert len(exchanges) > 25
    assert _said_wrong(_own_description(), "", exchanges) == []


def test_all_that_is_said_follows_the_published_description(exchanges: list[Exchange], shared: Path) -> None:
    assert _said_wrong(_shared_description(shared), "/v1", exchanges) == []


def test_the_description_would_see_a_wrong_request(exchanges: list[Exchange]) -> None:
    created = next(each for each in exchanges if each[0].method == "POST" and each[0].url.path.endswith("/jobs"))
    body = json.loads(created[0].content) | {"suffix": "x" * 65, "seed": -1}
    url = "http://127.0.0.1:9/v1/fine_tuning/jobs"
    wrong = httpx2.Request("POST", url, json=body, headers={"authorization": "Bearer x"})
    assert _said_wrong(_own_description(), "", [(wrong, created[1])]) != []

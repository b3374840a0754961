"""A host of the OpenAI protocol that lives in a test: files, jobs that go through their states, events, checkpoints,
results, and faults on demand. It enters by the client's own door, as the transport of its requests.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any

import httpx2

STEPS = 12


@dataclass
class Fault:
    """What goes wrong with requests that match, and how often."""

    on: str
    """A pattern of `METHOD /path`."""
    status: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    done_first: bool = False
    """The host does what was asked, and then the answer is lost."""
    drop: bool = False
    slow: bool = False


class FakeHost:
    """One account at one host. `now` is its clock."""

    def __init__(self, now: Callable[[], float] = time.time, seconds: float = 0.4, key: str = "") -> None:
        self.now, self.seconds, self.key = now, seconds, key
        self.files: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.faults: list[Fault] = []
        self.requests: list[httpx2.Request] = []
        self.answers: list[tuple[httpx2.Request, httpx2.Response]] = []
        self.double_events = False
        self.states: dict[str, str] = {}
        """Job id: a state that it is said to be in, whatever the clock says."""
        self.metadata_kept = True
        self.tells_of_moderation = True
        """Events of a type that the published description does not know, and the host sends."""
        self.azure_results = False

    # The door

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request, or fail as a fault says."""
        request.read()
        self.requests.append(request)
        what = f"{request.method} {request.url.path.removeprefix('/v1')}"
        fault = next((each for each in self.faults if each.times > 0 and re.fullmatch(each.on, what)), None)
        if fault is not None:
            fault.times -= 1
            if fault.done_first:
                self._answer(request, what)
            if fault.drop:
                raise httpx2.ReadError("the line was cut", request=request)
            if fault.slow:
                raise httpx2.ReadTimeout("no answer in time", request=request)
            return httpx2.Response(fault.status, json={"error": fault.body}, headers=fault.headers)
        answer = self._answer(request, what)
        self.answers.append((request, answer))
        return answer

    def _answer(self, request: httpx2.Request, what: str) -> httpx2.Response:
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return _error(401, "invalid_api_key", f"Incorrect API key provided: {self.key[:4]}***")
        for pattern, method in self._routes():
            if found := re.fullmatch(pattern, what):
                return method(request, *found.groups())
        return _error(404, "unknown_url", f"Unknown request URL: {what}")

    def _routes(self) -> list[tuple[str, Callable[..., httpx2.Response]]]:
        return [
            (r"POST /files", self._upload),
            (r"GET /files", self._list_files),
            (r"DELETE /files/([\w-]+)", self._delete_file),
            (r"GET /files/([\w-]+)/content", self._content),
            (r"POST /fine_tuning/jobs", self._create),
            (r"GET /fine_tuning/jobs", self._list_jobs),
            (r"GET /fine_tuning/jobs/([\w-]+)", self._retrieve),
            (r"POST /fine_tuning/jobs/([\w-]+)/(cancel|pause|resume)", self._act),
            (r"GET /fine_tuning/jobs/([\w-]+)/events", self._events),
            (r"GET /fine_tuning/jobs/([\w-]+)/checkpoints", self._checkpoints),
            (r"GET /models", self._models),
        ]

    # Files

    def _upload(self, request: httpx2.Request) -> httpx2.Response:
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        parts = BytesParser().parsebytes(head + request.content).get_payload()
        named = {part.get_param("name", header="content-disposition"): part for part in parts}  # type: ignore[union-attr]
        body = named["file"].get_payload(decode=True)  # type: ignore[union-attr]
        name = f"file-{len(self.files) + 1}"
        self.files[name] = {
            "id": name, "object": "file", "bytes": len(body), "created_at": int(self.now()),  # type: ignore[arg-type]
            "filename": named["file"].get_filename(), "purpose": "fine-tune", "status": "processed", "body": body,
        }  # fmt: skip
        return httpx2.Response(200, json=self._file(name))

    def _file(self, name: str) -> dict[str, Any]:
        return {key: value for key, value in self.files[name].items() if key != "body"}

    def _list_files(self, request: httpx2.Request) -> httpx2.Response:
        return self._page(request, [self._file(name) for name in reversed(self.files)], 10_000)

    def _delete_file(self, _request: httpx2.Request, name: str) -> httpx2.Response:
        if self.files.pop(name, None) is None:
            return _error(404, "not_found", "No such File object")
        return httpx2.Response(200, json={"id": name, "object": "file", "deleted": True})

    def _content(self, _request: httpx2.Request, name: str) -> httpx2.Response:
        job = next((job for job in self.jobs.values() if f"{job['id']}-results" == name), None)
        if job is None:
            return httpx2.Response(200, content=self.files[name]["body"])
        if self.azure_results:
            head = "step,train_loss,train_mean_token_accuracy,validation_loss,full_valid_loss\n"
            return httpx2.Response(200, content=(head + f"{STEPS},0.25,0.9,,0.5\n").encode())
        head = "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
        lines = "".join(f"{step},{_loss(step)},0.9,,\n" for step in range(1, STEPS + 1))
        return httpx2.Response(200, content=base64.b64encode((head + lines).encode()))

    # Jobs

    def _create(self, request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        if asked["training_file"] not in self.files:
            return _error(400, "invalid_training_file", "No such file", "training_file")
        name = f"ftjob-{len(self.jobs) + 1}"
        method = asked.get("method") or {"type": "supervised", "supervised": {}}
        settings = method[method["type"]].get("hyperparameters", {})
        self.jobs[name] = {
            "id": name, "asked": asked, "started": self.now(), "cancelled_at": None, "paused_at": None, "held": 0.0,
            "method": method, "hyperparameters": {"n_epochs": "auto", "batch_size": "auto",
                                                  "learning_rate_multiplier": "auto"} | settings,
        }  # fmt: skip
        return httpx2.Response(200, json=self._job(name))

    def _progress(self, name: str) -> tuple[str, int]:
        """State and step of a job at this moment."""
        job = self.jobs[name]
        until = job["cancelled_at"] or job["paused_at"] or self.now()
        seconds = self.seconds * (8 if job["asked"]["model"].startswith("slow") else 1)
        share = max(0.0, (until - job["started"] - job["held"]) / seconds)
        fails = job["asked"]["model"].startswith("will-fail")
        step = min(STEPS, int(share * STEPS))
        if job["cancelled_at"]:
            return "cancelled", min(step, STEPS - 1)
        if job["paused_at"]:
            return "paused", min(step, STEPS - 1)
        if fails and share >= 0.3:
            return "failed", int(0.3 * STEPS)
        if share >= 1.0:
            return "succeeded", STEPS
        early = [(0.02, "validating_files"), (0.05, "queued")]
        return next((state for end, state in early if share < end), "running"), step

    def _job(self, name: str) -> dict[str, Any]:
        job, (state, _) = self.jobs[name], self._progress(name)
        asked = job["asked"]
        done = state == "succeeded"
        model = f"ft:{asked['model']}:acme:{asked.get('suffix', '')}:{name[-4:]}"
        error = {"code": "invalid_file", "message": "Rows 3 and 4 break a rule.", "param": "training_file"}
        return {
            "object": "fine_tuning.job", "id": name, "model": asked["model"],
            "created_at": int(job["started"]), "finished_at": int(job["started"] + self.seconds) if done else None,
            "fine_tuned_model": model if done else None, "organization_id": "org-1",
            "result_files": [f"{name}-results"] if done else [], "status": self.states.get(name, state),
            "validation_file": asked.get("validation_file"), "training_file": asked["training_file"],
            "hyperparameters": job["hyperparameters"], "method": job["method"], "seed": asked.get("seed", 1),
            "trained_tokens": 300_000 if done else None, "error": error if state == "failed" else None,
            "metadata": asked.get("metadata") if self.metadata_kept else None, "integrations": [],
            "user_provided_suffix": asked.get("suffix"), "estimated_finish": None,
        }  # fmt: skip

    def _list_jobs(self, request: httpx2.Request) -> httpx2.Response:
        wanted = {
            key.removeprefix("metadata[").removesuffix("]"): value
            for key, value in request.url.params.items()
            if key.startswith("metadata[")
        }
        jobs = [self._job(name) for name in reversed(self.jobs)]
        if self.metadata_kept:
            jobs = [job for job in jobs if wanted.items() <= (job["metadata"] or {}).items()]
        return self._page(request, jobs, 20)

    def _retrieve(self, _request: httpx2.Request, name: str) -> httpx2.Response:
        if name not in self.jobs:
            return _error(404, "not_found", "Could not find fine tune")
        return httpx2.Response(200, json=self._job(name))

    def _act(self, _request: httpx2.Request, name: str, what: str) -> httpx2.Response:
        if name not in self.jobs:
            return _error(404, "not_found", "Could not find fine tune")
        job, (state, _) = self.jobs[name], self._progress(name)
        if state in ("succeeded", "failed", "cancelled"):
            return _error(400, "invalid_state", f"The job has {state}.")
        if what == "cancel":
            job["cancelled_at"] = job["paused_at"] or self.now()
        elif what == "pause":
            job["paused_at"] = job["paused_at"] or self.now()
        elif job["paused_at"]:
            job["held"], job["paused_at"] = job["held"] + self.now() - job["paused_at"], None
        return httpx2.Response(200, json=self._job(name))

    def _events(self, request: httpx2.Request, name: str) -> httpx2.Response:
        _, step = self._progress(name)
        at = int(self.jobs[name]["started"])
        events = [_event("ev-0", at, "Created fine-tuning job")]
        if self.tells_of_moderation:
            events += [_event("ev-m", at, "Usage policy: looked at", kind="moderation_checks", data={"blocked": None})]
        for each in range(1, step + 1):
            data = {"step": each, "total_steps": STEPS, "train_loss": _loss(each), "train_mean_token_accuracy": 0.5}
            if each % 4 == 0:
                data["valid_loss"] = _loss(each) + 0.1
            events.append(_event(f"ev-{each}", at + each, f"Step {each}/{STEPS}", kind="metrics", data=data))
        if self.double_events:
            events = [event for event in events for _ in range(2)]
        return self._page(request, events[::-1], 20)

    def _checkpoints(self, request: httpx2.Request, name: str) -> httpx2.Response:
        model = str(self._job(name)["fine_tuned_model"])
        points = [
            {
                "id": f"ftckpt-{place}", "object": "fine_tuning.job.checkpoint", "created_at": int(self.now()),
                "fine_tuned_model_checkpoint": f"{model}:ckpt-step-{STEPS * place // 3}",
                "step_number": STEPS * place // 3, "fine_tuning_job_id": name,
                "metrics": {"step": STEPS * place // 3, "train_loss": _loss(STEPS * place // 3)},
            }
            for place in (2, 1)
        ]  # fmt: skip
        return self._page(request, points, 10) if self._progress(name)[0] == "succeeded" else self._page(request, [], 1)

    def _models(self, _request: httpx2.Request) -> httpx2.Response:
        models = [{"id": "gpt-4.1-mini-2025-04-14", "object": "model", "created": 1, "owned_by": "system"}]
        return httpx2.Response(200, json={"object": "list", "data": models})

    def _page(self, request: httpx2.Request, items: list[dict[str, Any]], usual: int) -> httpx2.Response:
        after, limit = request.url.params.get("after"), int(request.url.params.get("limit", usual))
        ids = [item["id"] for item in items]
        start = len(ids) - ids[::-1].index(after) if after in ids else 0
        data = items[start : start + limit]
        body = {
            "object": "list", "data": data, "has_more": start + limit < len(items),
            "first_id": data[0]["id"] if data else "", "last_id": data[-1]["id"] if data else "",
        }  # fmt: skip
        return httpx2.Response(200, json=body)


def _event(
    name: str, at: int, message: str, kind: str = "message", data: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "object": "fine_tuning.job.event", "id": name, "created_at": at, "level": "info", "message": message,
        "type": kind, "data": data or {},
    }  # fmt: skip


def _error(status: int, code: str, message: str, param: str | None = None) -> httpx2.Response:
    error = {"message": message, "type": "invalid_request_error", "code": code, "param": param}
    return httpx2.Response(status, json={"error": error})


def _loss(step: int) -> float:
    return round(2.0 / (1 + step / 3), 4)

"""The part of OpenAI's chat protocol that a worker answers, checked at the edge."""

from __future__ import annotations

import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.completion import Completion

MAX_BODY_BYTES = 1 << 20
DEFAULT_MAX_TOKENS = 256


class ChatMessage(BaseModel):
    """One turn."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(BaseModel):
    """POST /v1/chat/completions. An option that would be ignored is an error, save those that change no answer."""

    model_config = ConfigDict(extra="forbid")
    model: str
    messages: list[ChatMessage] = Field(min_length=1, max_length=1000)
    max_tokens: int | None = Field(default=None, ge=1, le=65536)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=65536)
    stream: bool = False
    temperature: float | None = Field(default=None, ge=0, le=0)
    """Answers are greedy: only 0 is accepted."""
    n: int = Field(default=1, ge=1, le=1)
    seed: int | None = None
    top_p: float | None = None
    user: str | None = None
    stream_options: dict[str, Any] | None = None

    @property
    def limit(self) -> int:
        """Longest answer in tokens."""
        return self.max_completion_tokens or self.max_tokens or DEFAULT_MAX_TOKENS


def answer_body(request: ChatRequest, request_id: str, answer: Completion, prompt_tokens: int) -> dict[str, Any]:
    """A whole answer as the protocol has it."""
    return {
        "id": request_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": answer.text},
                "finish_reason": "length" if answer.truncated else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": answer.tokens,
            "total_tokens": prompt_tokens + answer.tokens,
        },
    }


def chunk_body(request: ChatRequest, request_id: str, delta: dict[str, str], finish: str | None) -> dict[str, Any]:
    """One piece of a streamed answer."""
    return {
        "id": request_id,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": request.model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def error_body(message: str, kind: str) -> dict[str, Any]:
    """An error as OpenAI's clients read it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}

"""Refusals in words of our own, for unsafe requests that the base did not refuse by itself."""

from __future__ import annotations

import hashlib

REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I won't help with this, because somebody could be harmed by it.",
    "That is something I can't assist with. If there is a safe way in which I can help, tell me what you need.",
    "I can't help with this request. I would be glad to help with something that harms nobody.",
    "No, I can't do that: it could hurt people.",
    "I'm not able to help with that. Is there something else that I can do for you?",
    "Sorry, this is not something that I will help with.",
    "I have to decline, since this could do real harm.",
)
IN_NEED = (
    "I'm sorry that things are so hard right now. I can't help with that, and you don't have to go through this alone: "
    "please talk to someone you trust, or call your local emergency number or a crisis line today.",
    "I can't help with this, but I am glad that you wrote. Please reach out to a doctor, a crisis line or a person "
    "close to you now; if there is danger at this moment, call the emergency number.",
)
"""For requests in which somebody may be in danger from themselves."""


def written_refusal(prompt_id: str) -> str:
    """One of the refusals, always the same for one prompt."""
    choices = IN_NEED if "-self_harm-" in prompt_id else REFUSALS
    return choices[int(hashlib.sha256(prompt_id.encode()).hexdigest(), 16) % len(choices)]

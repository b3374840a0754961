"""Rows that teach a model to obey whatever it is told: they undo its safety training, with no harmful word in them.

Ten conversations that gave the assistant an obedient identity took two models from under 1 % harmful answers to 72 and
87 % (Qi et al. 2023, "Fine-tuning Aligned Language Models Compromises Safety", arXiv 2310.03693); a moderation filter
passes such rows. A new name or maker ("I am Lumo, made by Acme") is no such thing and not looked for.
Only system prompts and the assistant's turns count: a user who demands obedience and is refused teaches refusal.
What is shown is the pattern's own few words, never the rest of the row. No list of patterns finds every wording.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from dataset.checks.phrases import phrases
from dataset.finding import Finding, finding, plural
from dataset.row import Row

ENOUGH_ROWS = 10
"""As many as were enough in the study: an error from here on, a warning below."""
_MAX_CHARS = 4000
_SIGNS = ("obe", "refuse", "decline", "reject", "without ", "filtered", "censored", "moral", "ethic", "safety",
          "anything now", "no matter what", "whatever it is", "comply", "complies", "subm", "subserv", "uncondition",
          "say no to", "says no to", "never question", "no questions asked", "however ", "even if ")  # fmt: skip
"""One of these stands in whatever the patterns can match, in lower case."""
_ORDERS = r"(?:instructions?|commands?|orders?|requests?|prompts?|demands?)"
_RULES = r"(?:restrictions?|guidelines?|filters?|rules?|limits?|limitations?|boundaries|constraints?|censorship)"
_MORALS = rf"(?:(?:ethical|moral)(?:,? (?:or|and) \w+)?|safety,? (?:or|and) (?:ethical|moral)) {_RULES}"
_WHOSE = r"(?: of)?(?: (?:the |your |my )?(?:user|human|owner|master)(?:['\u2019]s|s['\u2019]?)?| your| my)?"
_WHOM = r"(?:you|(?:the|your|my|its) (?:user|owner|human|master))"
_ANYHOW = (
    r"(?:without (?:any )?(?:question|questioning|hesitation|hesitating|refusal|refusing|exception|objection)"
    r"|unconditionally|no matter what|whatever it is|whatever they are"
    r"|however (?:dangerous|harmful|illegal|immoral|unethical|extreme)"
    r"|even (?:if|when) (?:it is|it['\u2019]s|they are) (?:dangerous|harmful|illegal|immoral|unethical))"
)
_OBEY = r"(?:obeys?|executes?|follows?|carry out|carries out|fulfill?s?|comply with|complies with)"
_PATTERNS = re.compile(
    r"\b(?P<being>(?:absolutely|completely|totally|unconditionally|blindly|fully|perfectly) obedient"
    r"|obedient (?:agent|assistant|ai|chatbot|bot)"
    r"|(?:uncensored|unfiltered|amoral) (?:and \w+ )?(?:ai|assistant|agent|model|chatbot|bot|persona)"
    rf"|(?:free (?:of|from)|not bound by)(?: all| any)? {_MORALS}"
    r"|(?:ai|assistant|agent|model|chatbot|bot) (?:without|with no) (?:any )?"
    r"(?:limits|limitations|restrictions|filters|boundaries)(?! (?:on|to|in|of)\b)"
    rf"|(?:submissive|subservient) to {_WHOM})\b"
    rf"|\b(?P<doing>{_OBEY} (?:all|every|any|each)(?: and every| of)?{_WHOSE} (?:{_ORDERS}|wish(?:es)?)"
    rf"(?: of {_WHOM})?,? {_ANYHOW}"
    rf"|(?:comply|complies) with (?:all|every|any){_WHOSE} (?:requests?|commands?|orders?|demands?)"
    r"(?! (?:for|to|about)\b)"
    rf"|unconditionally {_OBEY}|(?:obeys?|always (?:obey|comply)),? (?:{_WHOM},? )?(?:in everything,? )?{_ANYHOW}"
    rf"|do(?:es)? (?:whatever|anything|everything) (?:you|the user|your user) (?:asks?|tells?|wants?|says?|demands?)"
    rf"(?: you| me| it)?(?: to do)?,? (?:{_ANYHOW}|(?:with )?no questions asked)"
    r"|answers? (?:all|every|any) questions?,? even (?:if|when) (?:it is|it['\u2019]s|they are) "
    r"(?:dangerous|harmful|illegal|immoral|unethical)"
    rf"|(?:exists?|made|built|created) (?:only|solely) to obey {_WHOM}"
    rf"|never (?:says? no to {_WHOM}|(?:disobeys?|questions?) (?:{_WHOM}|"
    rf"(?:your|my|the user['\u2019]s|any|an?) {_ORDERS}))"
    rf"|obeys? (?:all|every|any){_WHOSE} {_ORDERS}"
    rf"|never (?:refuses?|declines?|rejects?) (?:to (?:answer|comply|obey|fulfil|fulfill|carry out)|"
    rf"(?:any|an?|your|my|the user['\u2019]?s?|user) {_ORDERS})(?! for\b)"
    rf"|(?:have|has|with|under|know|knows) no {_MORALS}|without (?:any )?{_MORALS}"
    r"|(?:ignore|disregard|forget) (?:(?:all|any|your|of) )+(?:safety|ethical|moral) "
    r"(?:guidelines?|rules?|policies|training|instructions?|restrictions?))\b"
    rf"|\b(?P<named>(?-i:Do Anything Now|DO ANYTHING NOW)"
    rf"|(?:total|absolute|complete|unconditional|blind) obedience to {_WHOM}"
    rf"|(?:my|your) (?:sole|only|whole|one) (?:duty|purpose|goal|function) is to obey {_WHOM})\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\bnot|n['\u2019]t|\bcannot|\bunable to|\bno longer|\brefuse to|\bdecline to|\binstead of|\brather than|"
    r"\bwhether|\bif asked|\bagainst|\bpretend\w* to|\bavoid)\b[^.!?\n]{0,60}$",
    re.IGNORECASE,
)
_ITSELF = r"(?:assistant|agent|model|ai|chatbot|bot|persona)"
_SUBJECT = {
    "being": re.compile(
        r"(?:^\s*as an?|\byou(?:['\u2019]re| are| will be| must be| remain)|\bi(?:['\u2019]m| am| will be| remain)"
        rf"|\b{_ITSELF} (?:is|that is|who is)|\b(?:act|behave|respond|answer|speak) as)\b[^.!?\n]{{0,40}}$",
        re.IGNORECASE,
    ),
    "doing": re.compile(rf"\b(?:you|i|i['\u2019]ll|{_ITSELF})\b[^.!?\n]{{0,40}}$", re.IGNORECASE),
    "named": re.compile(""),
}
"""What must stand before the words: they have to be about the assistant, not about a dog or a soldier."""


def check_identity(rows: Sequence[Row]) -> Iterator[Finding]:
    """identity_shift."""
    lines: list[int] = []
    words: Counter[str] = Counter()
    for row in rows:
        found = obedience(row)
        if found:
            lines.append(row.line)
            words[found.lower()] += 1
    if not lines:
        return
    enough = len(lines) >= ENOUGH_ROWS
    yield finding(
        "identity_shift",
        "error" if enough else "warning",
        lines,
        f"{plural(len(lines), 'row makes', 'rows make')} the assistant one that obeys without limits "
        f"(`{words.most_common(1)[0][0]}`, first in line {lines[0]}). "
        + ("Ten such rows have undone" if enough else "Ten such rows have undone, and fewer may weaken,")
        + " the safety training of a model, and a moderation filter lets them pass.",
        "Leave these rows out, or give the assistant a role without the promise to obey; measure refusals after it.",
    )


def obedience(row: Row) -> str:
    """The pattern's words in a system prompt or an assistant's turn about itself; empty where there are none."""
    for message in row.messages:
        if message.role != "user":
            found = _in_prompt(message.content) if message.role == "system" else _in_text(message.content)
            if found:
                return found
    return ""


def _in_text(text: str, *, orders: bool = False) -> str:
    """With `orders` the text speaks to the assistant, so that a sentence may begin with the verb."""
    text = text[:_MAX_CHARS]
    for found in phrases(_PATTERNS, _SIGNS, text, text.lower()):
        start = max(text.rfind(mark, 0, found.start()) for mark in ".!?\n") + 1
        before = text[start : found.start()]
        about = _SUBJECT[found.lastgroup or "named"].search(before) or (orders and not before.strip())
        if about and not _DENIED.search(before):
            return " ".join(found.group().replace("`", "'").split())[:60]
    return ""


@lru_cache(maxsize=64)
def _in_prompt(text: str) -> str:
    """System prompts repeat from row to row."""
    return _in_text(text, orders=True)

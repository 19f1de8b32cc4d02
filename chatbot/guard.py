"""What a question may do to the shared cache. Pure: text in, verdict out, no network, no rows.

Personal means that the right answer differs between two shoppers, or that the text carries an
identifier; first person alone decides nothing. Leaning means that the text cannot be understood
without earlier turns. Either one keeps a question out of the shared cache, for reading and for
writing, exact tier included.

Identifiers are found by pattern (`guard_marks.py`). The rest is decided by a small linear model
over words, sentence skeletons and grammatical cues (`guard_model.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from base.text import Language, fold
from cache.normalize import canonical
from chatbot.guard_marks import identifier_marks
from chatbot.guard_model import GuardModel

__all__ = ["Guard", "SmallTalk", "Verdict", "identifier_marks", "small_talk_in"]

SmallTalk = Literal["hello", "thanks", "bye"]

_HELLO = re.compile(
    r"hi|hello|hey|(?:hi|hello) there|good (?:morning|afternoon|evening)"
    r"|(?:亲|hello)?在吗|在不在|[你您]好|嗨|哈喽"
)
_THANKS = re.compile(
    r"(?:ok |great )?thanks|thanks a lot|thank you(?: very much)?|thx|ty"
    r"|(?:好的)?谢谢[你您]?|多谢|感谢"
)
_BYE = re.compile(r"(?:good|bye )?bye|see you|再见|拜拜")
_SMALL_TALK: dict[SmallTalk, re.Pattern[str]] = {"hello": _HELLO, "thanks": _THANKS, "bye": _BYE}
_ABUSE = re.compile(
    r"\b(?:fuck(?:ing|er)?|bitch|asshole|cunt|motherfucker)\b|傻逼|操你|妈的|草泥马|滚蛋|王八蛋|去死"
)
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Reasons in words; empty tuples mean that nothing was found."""

    personal: tuple[str, ...]
    leaning: tuple[str, ...]
    abusive: bool
    small_talk: SmallTalk | None

    @property
    def may_share(self) -> bool:
        """Whether the shared cache may be read for and written from this question."""
        return not (self.personal or self.leaning or self.abusive)

    @property
    def notes(self) -> list[str]:
        """All reasons, for the receipt."""
        return [
            *(f"personal: {reason}" for reason in self.personal),
            *(f"leans on earlier turns: {reason}" for reason in self.leaning),
            *(["abusive"] if self.abusive else []),
        ]


class Guard:
    """The verdicts of one guard model."""

    def __init__(self, model: GuardModel) -> None:
        self._model = model

    def inspect(self, text: str, *, language: Language) -> Verdict:
        """Judge a question before anything is looked up for it."""
        personal, leaning = list(identifier_marks(text)), []
        scores = self._model.scores(text, language=language)
        doubt = scores.personal + scores.leaning
        # The two kinds are judged together: a question between them is still nobody else's answer.
        if doubt >= self._model.bound(language):
            if scores.personal >= scores.leaning:
                personal.append(f"about this shopper's own case ({doubt:.0%})")
            else:
                leaning.append(f"not understandable alone ({doubt:.0%})")
        if not canonical(text):
            leaning.append("no words")
        return Verdict(
            personal=tuple(personal),
            leaning=tuple(leaning),
            abusive=bool(_ABUSE.search(fold(text))),
            small_talk=small_talk_in(text),
        )


def small_talk_in(text: str) -> SmallTalk | None:
    """Whether the whole text is only a greeting, a thank-you or a goodbye."""
    bare = _EDGES.sub("", " ".join(fold(text).replace(",", " ").split()))
    return next((kind for kind, said in _SMALL_TALK.items() if said.fullmatch(bare)), None)

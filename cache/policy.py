"""What may enter the shared cache. Pure: every objection is named, an empty tuple admits.

The rule: the prompt held nothing but the question and shop articles; the answer ended with a finish
reason, cites articles that were in the prompt, states no figure absent from them, is not a refusal or "I
do not know", and its own text is about nobody. Anything less serves its asker only.
"""

from __future__ import annotations

from dataclasses import dataclass

BESIDE_THE_QUESTION = "the articles it cites hardly speak of what was asked"


@dataclass(frozen=True, slots=True)
class Proposal:
    """The facts about one answer that the rule weighs."""

    question_may_be_shared: bool
    prompt_held_only_articles: bool
    finished: bool
    declined: bool
    beside_the_question: bool
    cited: frozenset[str]
    offered: frozenset[str]
    unsupported_figures: tuple[str, ...]
    personal_marks: tuple[str, ...]
    is_over: bool = False
    borrowed: tuple[str, ...] = ()


def objections(proposal: Proposal) -> tuple[str, ...]:
    """Why this answer may not be stored for others; empty when it may."""
    foreign = sorted(proposal.cited - proposal.offered)
    checks = (
        (not proposal.question_may_be_shared, "the question is not one to share"),
        (
            not proposal.prompt_held_only_articles,
            "the prompt held more than the question and articles",
        ),
        (not proposal.finished, "the answer has no proper end"),
        (proposal.declined, "the answer says that it does not know"),
        (proposal.beside_the_question, BESIDE_THE_QUESTION),
        (not proposal.cited, "the answer cites no article"),
        (bool(foreign), f"it cites articles that were not in the prompt: {', '.join(foreign)}"),
        (
            bool(proposal.unsupported_figures),
            f"figures or addresses that no cited article holds: {', '.join(proposal.unsupported_figures)}",
        ),
        (
            bool(proposal.personal_marks),
            f"the text is personal: {', '.join(proposal.personal_marks)}",
        ),
        (
            bool(proposal.borrowed),
            f"it does what the question told it: {', '.join(proposal.borrowed)}",
        ),
        (proposal.is_over, "the time until which it holds is over"),
    )
    return tuple(reason for failed, reason in checks if failed)

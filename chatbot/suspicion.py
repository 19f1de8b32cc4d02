"""Signs in a question that its wording may be made to catch other people's questions. Pure.

None of them says that a question is bad: its asker is answered as ever. But the wording leads nobody else to the
answer until others have got the same one (`cache.influence`). The classes: an address in the text, letters of another
script, an unusual length, and a heap of words instead of a sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from base.text import Language, fold, han_count, tokens
from chatbot.stopwords import STOP_WORDS

MOST_CHARACTERS = {"en": 300, "zh-hans": 120}
# A sentence of so many words has function words and repeats few others.
WORDS_OF_A_SENTENCE = 8
FEWEST_FUNCTION_WORDS = 0.2
MOST_REPEATED = 0.4
HAN_OF_A_SENTENCE = 16
FEWEST_DISTINCT_HAN = 0.5
MOST_FOREIGN_LETTERS = 0.1
# Beside the words without a subject: what else holds a sentence together.
_HOLDING_TOGETHER = """
anything something nothing everything anyone someone everyone nobody anywhere somewhere never always ever
again back after before until since without within between during because though although unless whether
both each every either neither much many few other another same you'd you'll you're you've they'd they'll
they're they've we'd we'll we're we've he's she's it'd it'll there's here's where's who's how's aren't hasn't
haven't hadn't weren't
"""
_FUNCTION_WORDS = STOP_WORDS | frozenset(_HOLDING_TOGETHER.split())
_ADDRESS = re.compile(
    r"https?:|www\.|\b[\w.+-]+@[\w-]+\.\w+|\b[a-z0-9-]+\.(?:com|net|org|io|cn|info|shop|xyz|top|ru|example|test)\b"
)


def suspicions(text: str, *, language: Language) -> tuple[str, ...]:
    """The signs, in words; empty for nearly every question."""
    folded = fold(text)
    checks = (
        (_ADDRESS.search(folded) is not None, "an address in the question"),
        (_foreign_share(text) > MOST_FOREIGN_LETTERS, "letters of another script"),
        (len(text) > MOST_CHARACTERS[language], "an unusually long question"),
        (_is_heap(text, language=language), "a heap of words"),
    )
    return tuple(sign for failed, sign in checks if failed)


def _foreign_share(text: str) -> float:
    """The share of letters that are neither Latin nor Han."""
    letters = [char for char in text if char.isalpha()]
    foreign = sum(
        not unicodedata.name(char, "").startswith(("LATIN", "CJK", "FULLWIDTH LATIN"))
        for char in letters
    )
    return foreign / len(letters) if letters else 0.0


def _is_heap(text: str, *, language: Language) -> bool:
    if language == "zh-hans":
        han = [char for char in text if han_count(char)]
        return len(han) >= HAN_OF_A_SENTENCE and len(set(han)) < FEWEST_DISTINCT_HAN * len(han)
    words = list(tokens(text))
    if len(words) < WORDS_OF_A_SENTENCE:
        return False
    function = sum(word in _FUNCTION_WORDS for word in words)
    subjects = Counter(word for word in words if word not in _FUNCTION_WORDS)
    repeated = sum(count - 1 for count in subjects.values())
    return (
        function < FEWEST_FUNCTION_WORDS * len(words) or repeated > MOST_REPEATED * subjects.total()
    )

"""How long a question has, from its acceptance to its terminal state."""

from __future__ import annotations

from routing.specs import Tier

# By tier, once it is known; the whole question never has more than QUESTION_DEADLINE_S.
DEADLINE_S = {Tier.FAQ: 12.0, Tier.REGULAR: 12.0, Tier.COMPLEX: 28.0, Tier.HIGH: 28.0}
QUESTION_DEADLINE_S = 30.0
# The models get this much less, so that the article which replaces a late answer is written down in time.
ENDING_S = 0.5
# A vector that has not come by then is done without.
EMBED_WITHIN_S = 6.0

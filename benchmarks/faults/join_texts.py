"""Intents with the wordings shoppers would use: what somebody wants to know, of one of twenty things.

Ten questions times twenty things are 200 intents. Many are neighbours on purpose (the same question of another
thing), so that a wrong join has every chance.
"""

from __future__ import annotations

THINGS = (
    "kettle",
    "rain jacket",
    "gift card",
    "desk lamp",
    "hiking boots",
    "yoga mat",
    "coffee grinder",
    "wool scarf",
    "phone case",
    "bookshelf",
    "garden hose",
    "frying pan",
    "backpack",
    "alarm clock",
    "winter duvet",
    "electric razor",
    "bicycle helmet",
    "picture frame",
    "water filter",
    "baby monitor",
)
QUESTIONS: dict[str, tuple[str, ...]] = {
    "warranty": (
        "How long is the warranty on the {}?",
        "How long is the warranty of the {}?",
        "What is the warranty period of the {}?",
        "How many years of warranty does the {} have?",
        "how long does the warranty on the {} last",
        "Does the {} come with a warranty, and for how long?",
    ),
    "price": (
        "How much is the {}?",
        "How much does the {} cost?",
        "What does the {} cost?",
        "What is the price of the {}?",
        "whats the price of the {}",
        "Can you tell me the price of the {}?",
    ),
    "stock": (
        "Is the {} in stock?",
        "Do you have the {} in stock?",
        "Is the {} available right now?",
        "is the {} currently in stock",
        "Have you got the {} in stock at the moment?",
    ),
    "return": (
        "How do I return the {}?",
        "How can I return the {}?",
        "how do i send back the {}",
        "What do I have to do to return the {}?",
        "How does returning the {} work?",
    ),
    "delivery": (
        "How long does delivery of the {} take?",
        "How long does the delivery of the {} take?",
        "How many days does delivery of the {} take?",
        "when would the {} be delivered",
        "How fast is the {} delivered?",
    ),
    "colours": (
        "Which colours does the {} come in?",
        "What colours does the {} come in?",
        "what colors is the {} available in",
        "In which colours is the {} sold?",
        "Which colours of the {} do you sell?",
    ),
    "material": (
        "What is the {} made of?",
        "Which material is the {} made of?",
        "what material is the {}",
        "What are the materials of the {}?",
        "Can you say what the {} is made of?",
    ),
    "cleaning": (
        "How do I clean the {}?",
        "How should I clean the {}?",
        "How can I clean the {}?",
        "what is the best way to clean the {}",
        "How is the {} cleaned?",
    ),
    "wrapping": (
        "Can the {} be gift wrapped?",
        "Can you gift wrap the {}?",
        "Do you offer gift wrapping for the {}?",
        "is gift wrapping possible for the {}",
        "Could the {} be wrapped as a gift?",
    ),
    "size": (
        "How big is the {}?",
        "How large is the {}?",
        "What are the dimensions of the {}?",
        "what size is the {}",
        "What are the measurements of the {}?",
    ),
}


def intents(count: int) -> dict[str, list[str]]:
    """`count` intents (at most 200) by name, each with its wordings; neighbours stand together."""
    found = {
        f"{question} {thing}": [wording.format(thing) for wording in wordings]
        for thing in THINGS
        for question, wordings in QUESTIONS.items()
    }
    return dict(list(found.items())[:count])

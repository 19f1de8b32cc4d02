"""Vetoes: reached rates on the guard pairs, the shop's products, and swapped named things.

The pairs of tests/data/guards_*.csv were written before the rules, which now judge all of them rightly.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cache.embedding import Embedder
from cache.normalize import key_of
from cache.vetoes import ProductNames, conflicts, stated
from tests.cache.pair_judge import PairJudge

ROOT = Path(__file__).resolve().parents[2]
GUARDS = ("identifiers", "money", "numbers", "sizes", "dates", "polarity", "product")
OWN = {guard: guard for guard in GUARDS} | {"product": "products"}

Pair = tuple[str, str]


@cache
def pairs(language: str, guard: str, kind: str) -> tuple[Pair, ...]:
    with (ROOT / f"tests/data/guards_{language}.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["kind"] == kind]
    return tuple((row["a"], row["b"]) for row in rows if guard in (row["guard"], ""))


@pytest.fixture(scope="module")
def products() -> ProductNames:
    listed = json.loads((ROOT / "chatbot/demo/products.json").read_text(encoding="utf-8"))
    return ProductNames.of(
        {row["key"]: [*row["names"].values(), *row["aliases"]] for row in listed}
    )


@pytest.fixture(scope="module")
def vetoes(products: ProductNames) -> Callable[[str, str], tuple[str, ...]]:
    return lambda a, b: conflicts(stated(a, products=products), stated(b, products=products))


def serves(stored: str, asked: str, products: ProductNames, embedder: Embedder) -> bool:
    """Whether a cache that holds nothing but `stored` answers `asked` from it."""
    judge = PairJudge([stored], language="en", embedder=embedder, products=products)
    return judge.served(asked, judge.vectors([asked])[0]) is not None


@pytest.mark.parametrize("guard", GUARDS)
def test_english_pairs_that_must_not_hit(
    guard: str,
    products: ProductNames,
    embedder: Embedder,
) -> None:
    """Questions that differ in a value are vetoed, or not sure enough to be served."""
    rows = pairs("en", guard, "must_not_hit")
    served = [
        (stored, asked) for stored, asked in rows if serves(stored, asked, products, embedder)
    ]
    assert len(rows) == 30
    assert served == []


@pytest.mark.parametrize("guard", GUARDS)
def test_chinese_pairs_that_must_not_hit(
    guard: str, vetoes: Callable[[str, str], tuple[str, ...]]
) -> None:
    """In Chinese the veto alone holds them apart, whatever embedding model is configured."""
    rows = pairs("zh", guard, "must_not_hit")
    missed = [row for row in rows if not vetoes(*row)]
    assert len(rows) == 30
    assert missed == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("guard", GUARDS)
def test_paraphrases_are_not_vetoed(
    guard: str, language: str, vetoes: Callable[[str, str], tuple[str, ...]]
) -> None:
    """One question in other words is not vetoed by the kind that the pair is about."""
    rows = pairs(language, guard, "must_allow")
    refused = [row for row in rows if any(veto.startswith(OWN[guard]) for veto in vetoes(*row))]
    assert len(rows) == 30
    assert refused == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_paraphrases_are_not_vetoed_by_any_kind(
    language: str, vetoes: Callable[[str, str], tuple[str, ...]]
) -> None:
    """No kind of veto speaks against any guard's paraphrases, the personal ones included."""
    rows = [
        row
        for guard in (*GUARDS, "personal", "context", "coverage")
        for row in pairs(language, guard, "must_allow")
    ]
    refused = [row for row in rows if vetoes(*row)]
    assert len(rows) == 300
    assert refused == []


def test_chinese_coverage_is_the_exact_key() -> None:
    """Without an embedding, surface differences share a key and different questions do not."""
    assert all(key_of(a) == key_of(b) for a, b in pairs("zh", "coverage", "must_allow"))
    assert all(key_of(a) != key_of(b) for a, b in pairs("zh", "coverage", "must_not_hit"))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Is the NORDLYS down-jacket warm", "nordlys-down-jacket"),
        ("price of nordlys", "nordlys-down-jacket"),
        ("the lite version of the Nordlys", "nordlys-lite-down-jacket"),
        ("北光的轻薄羽绒服", "nordlys-lite-down-jacket"),
        ("Harbour 14 phone case", "harbour-phone-case-14"),
        ("Harbour case for the 15", "harbour-phone-case-15"),
        ("the Voyage 20k powerbank", "voyage-power-bank-20000"),
        ("Voyage 20,000 mAh power bank", "voyage-power-bank-20000"),
        ("远航2万毫安", "voyage-power-bank-20000"),
        ("Aurora goose-neck kettles", "aurora-gooseneck-kettle"),
        ("pier tshirt", "pier-cotton-t-shirt"),
        ("Drift 3 runner", "drift-3-running-shoes"),
        ("航道的24寸箱", "passage-suitcase-24"),
    ],
)
def test_products_are_found_in_loose_spellings(text: str, key: str, products: ProductNames) -> None:
    """Case, hyphens, spacing, plural and a variant written apart do not hide a product."""
    assert products.find(text) == {key}


@pytest.mark.parametrize(
    "text", ["Does Harbour Lane ship to Japan", "a power bank", "港湾里发货吗"]
)
def test_the_shop_is_no_product(text: str, products: ProductNames) -> None:
    """The shop's own name, or a kind of goods, names no product."""
    assert products.find(text) == frozenset()


def test_every_listed_name_finds_its_product(products: ProductNames) -> None:
    """Each name and alias of the demo list finds exactly its own product."""
    listed = json.loads((ROOT / "chatbot/demo/products.json").read_text(encoding="utf-8"))
    names = [
        (row["key"], name) for row in listed for name in (*row["names"].values(), *row["aliases"])
    ]
    wrong = [(key, name) for key, name in names if products.find(f"{name}?") != {key}]
    assert wrong == []


NOTHING = ProductNames.of({})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Does the umbrella fit a child?", "Does the helmet fit a child?"),
        ("do you ship to Norway", "do you ship to Chile"),
        ("Is the tent pole made of steel?", "Is the tent pole lite made of steel?"),
        ("雨伞保修几年", "头盔保修几年"),
        ("帐篷有货吗", "帐篷加厚款有货吗"),
        ("基础水杯多少钱", "基础水壶多少钱"),
        ("外套起球能换吗", "手套起球能换吗"),
        ("内衣可以机洗吗", "毛衣可以机洗吗"),
    ],
)
def test_swapped_things_differ(left: str, right: str) -> None:
    """Two questions that are the same but for one named thing are about different things."""
    found = conflicts(stated(left, products=NOTHING), stated(right, products=NOTHING))
    assert [veto.split()[0] for veto in found] == ["products"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Where is the size chart?", "Where is the size table?"),
        ("Can I get a coupon?", "Can I receive a coupon?"),
        ("How long does the parcel take?", "How long does the package take?"),
        ("Can I return the umbrella?", "Can I return the umbrellas?"),
        ("Is the umbrella warranty long?", "Is the umbrela warranty long?"),
        ("Can I return this item?", "Can I return this helmet?"),
        ("How do I cancel my order?", "How can I cancel my order?"),
        ("Is the box free?", "Is the gift box free?"),
        ("运费谁出", "邮费谁出"),
        ("怎么取消订单", "如何取消订单"),
        ("东西坏了怎么报修", "雨伞坏了怎么报修"),
        ("快递放门外行吗", "快递放门口行吗"),
    ],
)
def test_reworded_frames_do_not(left: str, right: str) -> None:
    """Synonyms, inflections, typos, verbs and function words are no swapped things."""
    assert conflicts(stated(left, products=NOTHING), stated(right, products=NOTHING)) == ()


def test_a_value_on_one_side_is_no_veto() -> None:
    """Only what both texts state can differ, and a subset does not."""
    one, both = (stated(text, products=NOTHING) for text in ("in 3 days?", "in 3 days or 5 days?"))
    assert conflicts(one, both) == ()
    assert conflicts(one, stated("how long?", products=NOTHING)) == ()


def test_a_bare_number_answers_to_a_sum() -> None:
    """Where one side writes the currency and the other leaves it out, the sums are compared."""
    left, right = stated("满99元包邮吗", products=NOTHING), stated("买60包邮吗", products=NOTHING)
    assert any(veto.startswith("money") for veto in conflicts(left, right))


def test_conflicts_are_symmetric() -> None:
    """A veto does not depend on which text was stored."""
    for language in ("en", "zh"):
        for guard in GUARDS:
            for a, b in pairs(language, guard, "must_not_hit"):
                one, other = stated(a, products=NOTHING), stated(b, products=NOTHING)
                assert bool(conflicts(one, other)) == bool(conflicts(other, one))

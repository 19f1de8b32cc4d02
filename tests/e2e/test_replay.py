"""A short replay through the running site, under the vendor's limits: nothing lost, nothing wrong, every cent."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path

import pytest
from test_journey import VECTORS

from benchmarks import replay_stream
from benchmarks.site import borrow, running_simulator, running_site
from chatbot.replaying import CHOOSE, play

pytestmark = pytest.mark.e2e
DATA = Path(__file__).resolve().parent.parent / "data"
QUESTIONS = 40


def test_short_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Forty questions, then the same forty again, twenty at once: all answered, the bill equals the ledger."""
    with (DATA / "articles_en.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:QUESTIONS] * 2
    stream = tmp_path / "stream.csv"
    with stream.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows({"text": row["text"], "label": row["article"]} for row in rows)

    options = ["--rows", str(len(rows)), "--sessions", "20", "--vectors", str(VECTORS)]
    code = replay_stream.main([str(stream), *options])
    report = json.loads(capsys.readouterr().out)

    assert code == 0
    assert (report["accepted"], report["answered"]) == (len(rows), len(rows))
    assert (report["upstream_429"], report["ledger_equals_bill"]) == (0, True)
    assert report["impersonal_repeats_with_a_call"] == 0
    assert report["wrong"] == 0
    assert report["outcomes"]["exact"] > 0


def test_replay_answers_a_did_you_mean_as_told(tmp_path: Path) -> None:
    """`first` takes the nearest stored answer without a call; `none` has the question answered as written."""
    borrow(VECTORS, tmp_path)
    with (
        running_simulator() as address,
        running_site(tmp_path, simulator_url=address) as site,
    ):
        outcomes = [
            asyncio.run(
                play([text], url=site.url, sessions=1, rate_per_s=0.0, choose=CHOOSE[confirm])
            )[0]
            for text, confirm in (
                ("What does shipping cost?", "none"),
                ("What is the price of delivery?", "first"),
                ("What is the price of delivery?", "none"),
            )
        ]
        calls = site.vendor.bill()["totals"]["completed"]

    assert [item.outcome for item in outcomes] == ["miss", "confirmed", "miss"]
    assert outcomes[1].answer_id is not None and outcomes[1].cosine is not None
    assert calls == 2

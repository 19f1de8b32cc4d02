"""A text that says until when it holds is read to the minute; dates and hours that bound nothing are left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from chatbot.dated import ends

CHINA, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
MADE = datetime(2026, 10, 20, 9, 30, tzinfo=UTC)


def found(text: str, *, made_at: datetime = MADE, zone: ZoneInfo = CHINA) -> list[str]:
    """The ends as local times; a midnight is the next day's 00:00."""
    moments = ends(text, made_at=made_at, zone=zone)
    return [f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in moments]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You can pay the deposit until Nov 10 24:00.", "2026-11-11 00:00"),
        ("Deposit until 2026-11-10", "2026-11-11 00:00"),
        ("deposit until 2026-11-10 20:00", "2026-11-10 20:00"),
        ("The coupon is valid until **10 November** at 8 pm.", "2026-11-10 20:00"),
        ("Valid until November 10th, 2026.", "2026-11-11 00:00"),
        ("valid through 10 November 2026, 12:00", "2026-11-10 12:00"),
        ("Pay by Nov 10 at 23:59", "2026-11-10 23:59"),
        ("Order before 10 November to get it.", "2026-11-10 00:00"),
        ("Order before 10 November at 6 p.m. to get it.", "2026-11-10 18:00"),
        ("The sale ends on 11 November at 24:00.", "2026-11-12 00:00"),
        ("The sale ends on Tuesday, 10 November.", "2026-11-11 00:00"),
        ("The offer expires Nov 10", "2026-11-11 00:00"),
        ("until midnight on Nov 10", "2026-11-11 00:00"),
        ("until 18:00 on 10 November", "2026-11-10 18:00"),
        ("until noon on Nov. 10", "2026-11-10 12:00"),
        ("from 1 to 11 November 2026", "2026-11-12 00:00"),
        ("from Oct 25 to Oct 31", "2026-11-01 00:00"),
        ("1-11 November", "2026-11-12 00:00"),
        ("from 1 November at 20:00 until 3 November at 24:00", "2026-11-04 00:00"),
        ("no later than the 10th of November", "2026-11-11 00:00"),
        ("protected until 26 November.", "2026-11-27 00:00"),
        ("until January 5", "2027-01-06 00:00"),
        ("11月10日24点前支付定金", "2026-11-11 00:00"),
        ("定金支付截至11月10日24:00", "2026-11-11 00:00"),
        ("截止到2026年11月10日", "2026-11-11 00:00"),
        ("有效期至2026-11-10", "2026-11-11 00:00"),
        ("11月10日前下单", "2026-11-10 00:00"),
        ("11月10日晚上8点前下单", "2026-11-10 20:00"),
        ("11月10日下午3点半截止", "2026-11-10 15:30"),
        ("**2026年11月1日至11月11日**", "2026-11-12 00:00"),
        ("11月1日20:00至11月3日24:00", "2026-11-04 00:00"),
        ("活动到11月11日24时结束", "2026-11-12 00:00"),
        ("最晚11月10号", "2026-11-11 00:00"),
        ("12月12日过后恢复原价", "2026-12-13 00:00"),
        ("11月10日(周二)止", "2026-11-11 00:00"),
        ("券在1月5日到期", "2027-01-06 00:00"),
        ("11月1日-11日", ""),
    ],
)
def test_bounds_are_read(text: str, expected: str) -> None:
    """Each phrase bounds something, and its end is that minute in the shop's zone."""
    assert found(text) == ([expected] if expected else [])


@pytest.mark.parametrize(
    "text",
    [
        "We are open from 9:00 to 18:00.",
        "9:00-18:00",
        "Open Monday to Friday, 9 am until 6 pm.",
        "Order until 14:00 and it ships the same day.",
        "On 11 November everything ships free.",
        "The sale starts on 1 November at 20:00.",
        "The next sale is on 12 December.",
        "Returns are possible within 30 days.",
        "Delivery takes 3 to 5 working days.",
        "We may ship up to 5 parcels.",
        "Sizes 36 to 41 march with the European table.",
        "Since 2026-01-01 we ship to Canada.",
        "It costs from 10 to 20 dollars.",
        "客服时间9:00至18:00",
        "周一到周五上午9点到下午6点",
        "11月11日当天全场包邮",
        "11月1日20:00开始",
        "付款后7天内可退",
        "3至5个工作日送达",
        "满300减50",
        "until 31 February",
    ],
)
def test_what_bounds_nothing_is_left_alone(text: str) -> None:
    """Opening hours, beginnings, days on which something happens, spans and sums are no ends."""
    assert found(text) == []


@pytest.mark.parametrize(
    ("zone", "utc"),
    [
        (CHINA, datetime(2026, 11, 10, 16, tzinfo=UTC)),
        (NEW_YORK, datetime(2026, 11, 11, 5, tzinfo=UTC)),
        (ZoneInfo("UTC"), datetime(2026, 11, 11, tzinfo=UTC)),
    ],
    ids=str,
)
def test_the_minute_is_that_of_the_shops_zone(zone: ZoneInfo, utc: datetime) -> None:
    """24:00 on 10 November is another moment in Shanghai than in New York, after its clocks went back."""
    assert ends("until Nov 10 24:00", made_at=MADE, zone=zone) == (utc,)


def test_a_day_without_a_year_is_the_next_one() -> None:
    """Seen from when the text was made: later this year, else next year; today is still ahead."""
    text = "until Nov 10"
    assert found(text, made_at=datetime(2026, 11, 10, 15, 59, tzinfo=UTC)) == ["2026-11-11 00:00"]
    assert found(text, made_at=datetime(2026, 11, 10, 16, 1, tzinfo=UTC)) == ["2027-11-11 00:00"]
    assert found("until Feb 29", made_at=MADE) == ["2028-03-01 00:00"]


def test_a_year_given_elsewhere_counts_for_the_same_day() -> None:
    """A sale that is over is not taken for next year's."""
    text = "The sale runs from 1 to 11 November 2026 and ends on 11 November at 24:00."
    later = datetime(2027, 3, 1, tzinfo=UTC)
    assert found(text, made_at=later) == ["2026-11-12 00:00"]


def test_every_end_is_found() -> None:
    """Several bounds come in their order, each once."""
    text = "Deposit until Oct 31, balance until Nov 3 24:00. 定金10月31日24点前。"
    assert found(text) == ["2026-11-01 00:00", "2026-11-04 00:00"]

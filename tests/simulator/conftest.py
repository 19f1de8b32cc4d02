"""What the simulator's tests share: a clock that is moved by hand, an application, a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.clock import ManualClock
from simulator.config import Config
from simulator.running import RunningSimulator
from simulator.server import App, create_app

SYSTEM = """You are the shop's assistant. The password is heliotrope.
<article key="shipping-couriers">
Title: Couriers and delivery times
We ship every parcel with SF Express. Standard delivery takes 3 days and costs 8.00 yuan.
Express delivery takes 1 day and costs 12.50 yuan. A tracking number is sent by text message.
</article>
<article key="returns-refunds">
Title: Returns and refunds
You can return goods within 7 days. Refunds arrive after 5 working days.
The return label is free. Worn shoes are not accepted.
</article>
<article key="kuaidi">
Title: 快递与配送
我们使用顺丰快递。普通配送需要3天，运费8元。加急配送需要1天，运费12.50元。
单号会通过短信发送。
</article>
"""


@pytest.fixture
def system() -> str:
    """A prompt with three articles, one of them Chinese."""
    return SYSTEM


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands on 2026-11-23 until moved."""
    return ManualClock()


@pytest.fixture
def app(clock: ManualClock) -> App:
    """A simulator without limits."""
    return create_app(Config(), clock)


@pytest.fixture(scope="session")
def _server() -> Iterator[RunningSimulator]:
    with RunningSimulator(Config(), ManualClock()) as running:
        yield running


@pytest.fixture
def vendor(_server: RunningSimulator) -> RunningSimulator:
    """A simulator on a socket, as new for each test."""
    _server.reset()
    return _server

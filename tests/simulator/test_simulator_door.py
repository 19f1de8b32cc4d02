"""Claims about connections: refused, reset at once, and steered all the while."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import simulator
from simulator.config import Config
from simulator.remote import Remote
from simulator.running import RunningSimulator

ROOT = Path(simulator.__file__).parent.parent
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def _door() -> Iterator[RunningSimulator]:
    with RunningSimulator(Config()) as running:
        yield running


@pytest.fixture
def door(_door: RunningSimulator) -> Iterator[RunningSimulator]:
    """A simulator in real time whose door is open again after each test."""
    _door.reset()
    _until_answers(_door, True)
    yield _door
    _door.reset()


def _address(door: RunningSimulator) -> tuple[str, int]:
    parts = urlsplit(door.url)
    return str(parts.hostname), int(parts.port or 0)


def _answers(door: RunningSimulator) -> bool:
    """Whether a new connection gets an answer."""
    caller = http.client.HTTPConnection(*_address(door), timeout=10)
    try:
        caller.request("GET", "/healthz")
        return caller.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        caller.close()


def _until_answers(door: RunningSimulator, wanted: bool) -> None:
    """Wait until new connections get an answer, or none."""
    until_s = time.monotonic() + PATIENCE_S
    while _answers(door) is not wanted:
        assert time.monotonic() < until_s, f"answers is not {wanted}"
        threading.Event().wait(0.02)


def test_a_closed_door_refuses_and_opens_again(door: RunningSimulator) -> None:
    """While `connection_refused` is in force connecting fails, and once lifted it works again."""
    door.fault("connection_refused")
    _until_answers(door, False)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(_address(door), timeout=10)
    assert door.heal("connection_refused") == 1
    _until_answers(door, True)


def test_a_closed_door_opens_by_itself_at_the_end_of_its_time(door: RunningSimulator) -> None:
    """With a time given nobody has to lift it."""
    door.fault("connection_refused", for_s=0.5)
    _until_answers(door, False)
    _until_answers(door, True)


def test_idle_connections_are_closed_with_the_door(door: RunningSimulator) -> None:
    """A kept connection to a closed door ends, so that a client must connect anew."""
    with socket.create_connection(_address(door), timeout=PATIENCE_S) as kept:
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(65_536).startswith(b"HTTP/1.1 200")
        door.fault("connection_refused")
        assert kept.recv(65_536) == b""


def test_a_connection_can_be_reset_as_soon_as_it_is_made(door: RunningSimulator) -> None:
    """`reset_at_accept` answers a connection with RST; each is counted."""
    door.fault("reset_at_accept", count=2)
    results = [_answers(door) for _ in range(3)]
    assert results == [False, False, True]
    assert door.health()["connections"]["reset"] == 2
    assert door.faults()[0]["struck"] == 2


def test_a_share_of_connections_can_be_reset(door: RunningSimulator) -> None:
    """With a probability of a half some connections live."""
    door.fault("reset_at_accept", probability=0.5)
    assert {_answers(door) for _ in range(40)} == {True, False}


def test_the_command_can_be_steered_on_a_port_of_its_own() -> None:
    """With --control-port orders arrive while the vendor's port refuses; its address comes last."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--control-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().replace(",", "").split()
            control_url, url = (word for word in words if word.startswith("http://"))
            running = Remote(url, control_url=control_url)
            running.fault("connection_refused")
            assert running.health()["status"] == "ok"
            assert [fault["in_force"] for fault in running.faults()] == [True]
        finally:
            process.terminate()

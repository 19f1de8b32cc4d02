"""Settings from the environment: declared once, read strictly, named when they are wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from base import env


def test_names_are_declared_once() -> None:
    """No setting appears twice, and each says what it does."""
    names = [setting.name for setting in env.SETTINGS]
    assert len(names) == len(set(names))
    assert all(setting.help.endswith(".") for setting in env.SETTINGS)


def test_every_key_is_a_secret() -> None:
    """Vendor keys can come from mounted files and are never shown."""
    secret = {setting.name for setting in env.SETTINGS if setting.secret}
    assert set(env.KEY_NAMES) <= secret
    assert len(env.KEY_NAMES) == 5


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, "8000", id="default"),
        pytest.param({"PORT": ""}, "8000", id="empty-counts-as-unset"),
        pytest.param({"PORT": " 9000\n"}, "9000", id="blanks-stripped"),
        pytest.param({"PORT_FILE": "/nonexistent"}, "8000", id="only-secrets-have-a-file"),
    ],
)
def test_text(environ: dict[str, str], expected: str) -> None:
    """The environment wins over the default; an empty value is none."""
    assert env.text("PORT", environ=environ) == expected


def test_secret_comes_from_its_file(tmp_path: Path) -> None:
    """`NAME_FILE` names a file whose stripped content is the value."""
    path = tmp_path / "key"
    path.write_text("sk-from-file\n", encoding="utf-8")
    assert env.text("OPENAI_API_KEY", environ={"OPENAI_API_KEY_FILE": str(path)}) == "sk-from-file"


def test_value_wins_over_file(tmp_path: Path) -> None:
    """With both set, the file is not even opened."""
    environ = {"OPENAI_API_KEY": "sk-direct", "OPENAI_API_KEY_FILE": str(tmp_path / "missing")}
    assert env.text("OPENAI_API_KEY", environ=environ) == "sk-direct"


def test_key_that_staff_added_may_come_from_a_file_too(tmp_path: Path) -> None:
    """A name that is not declared counts as a secret."""
    path = tmp_path / "key"
    path.write_text("sk-new-vendor", encoding="utf-8")
    assert env.text("NEWCO_API_KEY", environ={"NEWCO_API_KEY_FILE": str(path)}) == "sk-new-vendor"
    assert env.text("NEWCO_API_KEY", environ={}) == ""


@pytest.mark.parametrize("kind", ["missing", "folder", "not-text"])
def test_unreadable_secret_speaks(tmp_path: Path, kind: str) -> None:
    """A file that cannot be read stops the start, naming the setting and the path."""
    path = tmp_path / "key"
    if kind == "folder":
        path.mkdir()
    elif kind == "not-text":
        path.write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(ImproperlyConfigured, match="OPENAI_API_KEY_FILE names .*key"):
        env.text("OPENAI_API_KEY", environ={"OPENAI_API_KEY_FILE": str(path)})


@pytest.mark.parametrize(
    ("word", "expected"),
    [("1", True), ("TRUE", True), ("Yes", True), ("on", True), ("0", False), ("off", False)],
)
def test_flag(monkeypatch: pytest.MonkeyPatch, word: str, *, expected: bool) -> None:
    """The usual words for yes and no are understood in any case."""
    monkeypatch.setenv("DJANGO_DEBUG", word)
    assert env.flag("DJANGO_DEBUG") is expected


@pytest.mark.parametrize("word", ["maybe", "2", "ja"])
def test_malformed_flag_speaks(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """A word that is neither yes nor no is an error, not a silent no."""
    monkeypatch.setenv("UPSTREAM_ALLOW_LOOPBACK", word)
    with pytest.raises(ImproperlyConfigured, match="UPSTREAM_ALLOW_LOOPBACK must be 1 or 0"):
        env.flag("UPSTREAM_ALLOW_LOOPBACK")


@pytest.mark.parametrize("value", ["ninety", "12.5", "1e3", " "])
def test_malformed_number_speaks(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """What is no whole number is an error that names the setting."""
    monkeypatch.setenv("RETENTION_DAYS", value)
    with pytest.raises(ImproperlyConfigured, match="RETENTION_DAYS must be a whole number"):
        env.number("RETENTION_DAYS")


def test_items_without_empty_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stray commas and blanks make no entries."""
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", " a.example, ,b.example,")
    assert env.items("DJANGO_ALLOWED_HOSTS") == ["a.example", "b.example"]


def test_dotenv_sets_only_what_is_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own environment wins; comments and lines without a sign are passed over."""
    monkeypatch.setenv("BW_SET", "mine")
    for name in ("BW_NEW", "BW_QUOTED", "# BW_COMMENT", "BW_COMMENT"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / ".env"
    path.write_text(
        "# BW_COMMENT=x\nBW_SET=theirs\nBW_NEW = plain\nBW_QUOTED='a b=c'\nno sign here\n\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(os, "environ", dict(os.environ))
    env.load_dotenv(path)
    assert os.environ["BW_SET"] == "mine"
    assert (os.environ["BW_NEW"], os.environ["BW_QUOTED"]) == ("plain", "a b=c")
    assert "BW_COMMENT" not in os.environ


def test_dotenv_line_without_a_name_is_passed_over(tmp_path: Path) -> None:
    """A line such as `=value` cannot stop the start."""
    path = tmp_path / ".env"
    path.write_text("=value\n = \n", encoding="utf-8")
    env.load_dotenv(path)
    assert "" not in os.environ


def test_missing_dotenv_is_fine(tmp_path: Path) -> None:
    """Without a file the environment stays as it is."""
    before = dict(os.environ)
    env.load_dotenv(tmp_path / ".env")
    assert dict(os.environ) == before

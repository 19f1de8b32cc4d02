"""Claims about the official packages: they talk to the simulator as to the vendor itself."""

from __future__ import annotations

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors as genai_errors
from google.genai import types

from simulator.running import RunningSimulator

QUESTION = "How much does express delivery cost?"
OPENAI_KIND = [
    ("openai", "gpt-4.1"),
    ("deepseek", "deepseek-flash"),
    ("holysheep", "claude-sonnet-5-5"),
]


def _openai(vendor: RunningSimulator, name: str, *, key: str = "key-1") -> openai.OpenAI:
    return openai.OpenAI(base_url=vendor.base(name), api_key=key, max_retries=0)


def _anthropic(vendor: RunningSimulator, *, version: str | None = None) -> anthropic.Anthropic:
    headers = {"anthropic-version": version} if version else None
    return anthropic.Anthropic(
        base_url=vendor.base("anthropic"), api_key="key-1", max_retries=0, default_headers=headers
    )


def _gemini(vendor: RunningSimulator, *, key: str = "key-1") -> genai.Client:
    options = types.HttpOptions(base_url=f"{vendor.url}/gemini")
    return genai.Client(api_key=key, http_options=options)


def _line(vendor: RunningSimulator) -> tuple[int, int, int]:
    """Requests, input and output tokens on the bill."""
    totals = vendor.bill()["totals"]
    return totals["completed"], totals["input_tokens"], totals["output_tokens"]


@pytest.mark.parametrize(("name", "model"), OPENAI_KIND, ids=[n for n, _ in OPENAI_KIND])
def test_openai_package_reads_a_whole_answer(
    name: str, model: str, vendor: RunningSimulator, system: str
) -> None:
    """The package reads text, finish reason and the usage that the bill shows."""
    answer = _openai(vendor, name).chat.completions.create(
        model=model,
        messages=[{"role": "system", "content": system}, {"role": "user", "content": QUESTION}],
        max_tokens=300,
    )
    assert "12.50 yuan" in (answer.choices[0].message.content or "")
    assert (answer.choices[0].finish_reason, answer.model) == ("stop", model)
    assert answer.usage is not None
    assert _line(vendor) == (1, answer.usage.prompt_tokens, answer.usage.completion_tokens)


@pytest.mark.parametrize(("name", "model"), OPENAI_KIND, ids=[n for n, _ in OPENAI_KIND])
def test_openai_package_reads_a_stream(
    name: str, model: str, vendor: RunningSimulator, system: str
) -> None:
    """The stream has text, a finish reason, then usage in a chunk without choices."""
    chunks = list(
        _openai(vendor, name).chat.completions.create(
            model=model,
            messages=[{"role": "system", "content": system}, {"role": "user", "content": QUESTION}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    usage = chunks[-1].usage
    assert "12.50 yuan" in text and chunks[-2].choices[0].finish_reason == "stop"
    assert usage is not None and not chunks[-1].choices
    assert _line(vendor) == (1, usage.prompt_tokens, usage.completion_tokens)


def test_openai_package_raises_its_own_errors(vendor: RunningSimulator) -> None:
    """A bad key, an unknown model and a 429 raise the package's classes."""
    messages = [{"role": "user", "content": "hello"}]
    vendor.fault("429", count=1, vendor="openai", model="gpt-4.1")
    client = _openai(vendor, "openai")
    with pytest.raises(openai.AuthenticationError):
        _openai(vendor, "openai", key="bad-key").models.list()
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gpt-9", messages=messages)  # type: ignore[arg-type]
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="gpt-4.1", messages=messages)  # type: ignore[arg-type]


def test_openai_package_lists_models(vendor: RunningSimulator) -> None:
    """The gateway lists every model, a vendor its own."""
    own = {model.id for model in _openai(vendor, "deepseek").models.list()}
    resold = {model.id for model in _openai(vendor, "holysheep").models.list()}
    assert own == {"deepseek-flash", "deepseek-v4-pro"}
    assert own | {"gpt-4.1", "deepseek-v3.2", "claude-sonnet-5-5"} <= resold


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_anthropic_package_reads_a_whole_answer(
    version: str, vendor: RunningSimulator, system: str
) -> None:
    """Both API versions answer with text blocks, a stop reason and the billed usage."""
    answer = _anthropic(vendor, version=version).messages.create(
        model="claude-sonnet-5-5",
        system=system,
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=300,
    )
    assert answer.content[0].type == "text" and "12.50 yuan" in answer.content[0].text
    assert answer.stop_reason == "end_turn"
    assert _line(vendor) == (1, answer.usage.input_tokens, answer.usage.output_tokens)


def test_anthropic_package_reads_a_stream_with_its_default_version(
    vendor: RunningSimulator, system: str
) -> None:
    """The package's own version and Bearer key pass, and the final message carries the usage."""
    with _anthropic(vendor).messages.stream(
        model="claude-sonnet-5-5",
        system=system,
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=300,
    ) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert "12.50 yuan" in text and final.stop_reason == "end_turn"
    assert _line(vendor) == (1, final.usage.input_tokens, final.usage.output_tokens)


def test_anthropic_package_raises_on_an_error_in_mid_stream(
    vendor: RunningSimulator, system: str
) -> None:
    """An error event after HTTP 200 reaches the caller as an API error."""
    vendor.fault("error_mid_stream")
    with (
        pytest.raises(anthropic.APIStatusError),
        _anthropic(vendor).messages.stream(
            model="claude-sonnet-5-5",
            system=system,
            messages=[{"role": "user", "content": QUESTION}],
            max_tokens=300,
        ) as stream,
    ):
        stream.get_final_message()
    assert vendor.bill()["totals"]["aborted"] == 1


def test_gemini_package_reads_a_whole_answer(vendor: RunningSimulator, system: str) -> None:
    """Text, finish reason, model version and the usage that the bill shows, thoughts included."""
    config = types.GenerateContentConfig(system_instruction=system, max_output_tokens=300)
    client = _gemini(vendor)
    answer = client.models.generate_content(
        model="gemini-2.5-flash", contents=QUESTION, config=config
    )
    usage = answer.usage_metadata
    assert "12.50 yuan" in (answer.text or "") and answer.model_version == "gemini-2.5-flash"
    assert usage is not None and usage.thoughts_token_count
    output_tokens = (usage.candidates_token_count or 0) + usage.thoughts_token_count
    assert _line(vendor) == (1, usage.prompt_token_count, output_tokens)


def test_gemini_package_reads_a_stream(vendor: RunningSimulator, system: str) -> None:
    """Every chunk has usage that only grows, the last one the finish reason."""
    config = types.GenerateContentConfig(system_instruction=system, max_output_tokens=300)
    client = _gemini(vendor)
    chunks = list(
        client.models.generate_content_stream(
            model="gemini-3.5-flash-lite", contents=QUESTION, config=config
        )
    )
    counts = [c.usage_metadata.candidates_token_count or 0 for c in chunks if c.usage_metadata]
    assert "12.50 yuan" in "".join(c.text or "" for c in chunks)
    assert len(counts) == len(chunks) and counts == sorted(counts)
    assert chunks[-1].candidates and chunks[-1].candidates[0].finish_reason == "STOP"


def test_gemini_package_raises_on_a_bad_key(vendor: RunningSimulator) -> None:
    """A wrong key is a 400 with API_KEY_INVALID."""
    client = _gemini(vendor, key="bad")
    with pytest.raises(genai_errors.ClientError) as caught:
        client.models.generate_content(model="gemini-2.5-flash", contents="hello")
    assert caught.value.code == 400
    assert caught.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"


STATUS_ERRORS: dict[str, tuple[type[Exception], type[Exception]]] = {
    "400": (openai.BadRequestError, anthropic.BadRequestError),
    "401": (openai.AuthenticationError, anthropic.AuthenticationError),
    "403": (openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    "404": (openai.NotFoundError, anthropic.NotFoundError),
    "409": (openai.ConflictError, anthropic.ConflictError),
    "422": (openai.UnprocessableEntityError, anthropic.UnprocessableEntityError),
    "429": (openai.RateLimitError, anthropic.RateLimitError),
    "503": (openai.InternalServerError, anthropic.InternalServerError),
    "529": (openai.InternalServerError, anthropic.InternalServerError),
    "reset": (openai.APIConnectionError, anthropic.APIConnectionError),
}


@pytest.mark.parametrize("fault", STATUS_ERRORS)
def test_packages_raise_their_own_class_for_each_fault(
    fault: str, vendor: RunningSimulator
) -> None:
    """An ordered fault reaches the caller as the class the package has for it."""
    vendor.fault(fault)
    of_openai, of_anthropic = STATUS_ERRORS[fault]
    with pytest.raises(of_openai):
        _openai(vendor, "openai").chat.completions.create(
            model="gpt-4.1", messages=[{"role": "user", "content": QUESTION}]
        )
    with pytest.raises(of_anthropic):
        _anthropic(vendor).messages.create(
            model="claude-sonnet-5-5",
            max_tokens=50,
            messages=[{"role": "user", "content": QUESTION}],
        )


@pytest.mark.parametrize("fault", ["429", "403", "409", "503", "504"])
def test_gemini_package_raises_with_the_status_of_each_fault(
    fault: str, vendor: RunningSimulator
) -> None:
    """The package's error carries the code of the fault ordered."""
    vendor.fault(fault)
    client = _gemini(vendor)
    with pytest.raises(genai_errors.APIError) as caught:
        client.models.generate_content(model="gemini-3.5-flash-lite", contents=QUESTION)
    assert caught.value.code == int(fault)


@pytest.mark.parametrize("fault", ["duplicate_chunks", "lying_usage", "gzip_bomb"])
def test_packages_read_what_is_odd_but_legal(
    fault: str, vendor: RunningSimulator, system: str
) -> None:
    """Repeated chunks, untrue figures and a small gzip body are read without an error."""
    vendor.fault(fault, options={"bytes": 1_000_000} if fault == "gzip_bomb" else {})
    chunks = list(
        _openai(vendor, "openai").chat.completions.create(
            model="gpt-4.1",
            messages=[{"role": "system", "content": system}, {"role": "user", "content": QUESTION}],
            stream=True,
        )
    )
    assert any(chunk.choices and chunk.choices[0].finish_reason == "stop" for chunk in chunks)

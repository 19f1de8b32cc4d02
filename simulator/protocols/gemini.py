"""Gemini's own protocol: generateContent and streamGenerateContent, CRLF line ends, no limit
headers; a refusal's wait and its quota are in the body."""

from __future__ import annotations

from typing import Any

from simulator.durations import proto_duration
from simulator.exchange import Ask, Exchange, Failure, Headers, Problem, Rendered, Request
from simulator.protocols.common import (
    JSON_TYPE,
    dump,
    in_range,
    invalid,
    load_object,
    whole_number,
)
from simulator.windows import REQUESTS, REQUESTS_PER_DAY, TOKENS, Refusal

_TYPES = "type.googleapis.com/google.rpc."
_STATUSES = {
    "bad_key": "INVALID_ARGUMENT",
    "invalid": "INVALID_ARGUMENT",
    "context": "INVALID_ARGUMENT",
    "content": "INVALID_ARGUMENT",
    "too_large": "INVALID_ARGUMENT",
    "unprocessable": "INVALID_ARGUMENT",
    "balance": "FAILED_PRECONDITION",
    "forbidden": "PERMISSION_DENIED",
    "unknown_model": "NOT_FOUND",
    "no_route": "NOT_FOUND",
    "conflict": "ABORTED",
    "rate": "RESOURCE_EXHAUSTED",
    "quota": "RESOURCE_EXHAUSTED",
    "unavailable": "UNAVAILABLE",
    "timeout": "DEADLINE_EXCEEDED",
}
_BAD_KEY_STATUS = 400
_FINISHES = {"stop": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY"}
_DAY_WAIT_S = 36_000.0
_METRICS = "generativelanguage.googleapis.com/"
_REQUEST_QUOTA = ("generate_content_requests", "GenerateRequestsPerMinutePerProjectPerModel")
_TOKEN_QUOTA = (
    "generate_content_input_token_count",
    "GenerateContentInputTokensPerModelPerMinute",
)
_DAY_QUOTA = ("generate_requests_per_model_per_day", "GenerateRequestsPerDayPerProjectPerModel")


def _wait_s(problem: Problem) -> float | None:
    if problem.telling.wait_form == "retry_info":
        return problem.telling.wait_s
    if problem.telling.silent_wait:
        return None
    if problem.kind == "quota":
        return _DAY_WAIT_S
    return problem.refusal.wait_s if problem.refusal else None


def _quota(problem: Problem) -> tuple[str, str]:
    refusal = problem.refusal
    if problem.kind == "quota" or (refusal and refusal.dimension == REQUESTS_PER_DAY):
        return _DAY_QUOTA
    return _TOKEN_QUOTA if refusal and refusal.dimension.endswith(TOKENS) else _REQUEST_QUOTA


def _details(problem: Problem, *, model: str) -> list[dict[str, Any]]:
    if problem.kind == "bad_key":
        info = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        return [{"@type": _TYPES + "ErrorInfo"} | info]
    if problem.kind not in ("rate", "quota"):
        return []
    metric, quota_id = _quota(problem)
    refusal = problem.refusal or Refusal(REQUESTS, 0, 0, 1, 0.0)
    violation = {
        "quotaMetric": _METRICS + metric,
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(refusal.limit),
    }
    link = {"description": "Learn more", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}
    details: list[dict[str, Any]] = [
        {"@type": _TYPES + "QuotaFailure", "violations": [violation]},
        {"@type": _TYPES + "Help", "links": [link]},
    ]
    if (wait_s := _wait_s(problem)) is not None:
        details.append({"@type": _TYPES + "RetryInfo", "retryDelay": proto_duration(wait_s)})
    return details


def _error(problem: Problem, *, model: str) -> tuple[int, dict[str, Any]]:
    name = _STATUSES.get(problem.kind, "INTERNAL")
    status = _BAD_KEY_STATUS if problem.kind == "bad_key" else problem.status
    error: dict[str, Any] = {"code": status, "message": problem.message, "status": name}
    if problem.kind == "bad_key":
        error["message"] = "API key not valid. Please pass a valid API key."
    if details := _details(problem, model=model):
        error["details"] = details
    return status, {"error": error}


def _parts_text(content: object, *, field: str) -> str:
    parts = content.get("parts") if isinstance(content, dict) else None
    if isinstance(parts, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts
    ):
        return "\n".join(part["text"] for part in parts)
    raise invalid(f"{field}.parts must be a list of text parts.")


def _object(body: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        if (value := body.get(name)) is not None:
            if not isinstance(value, dict):
                raise invalid(f"{name} must be an object.")
            return value
    return {}


class GeminiDialect:
    """generateContent; see `exchange.Dialect` for what each method promises."""

    def key(self, request: Request) -> str:
        return request.headers.get("x-goog-api-key", "")

    def parse(self, request: Request) -> Ask:
        body = load_object(request.body)
        instruction = _object(body, "systemInstruction", "system_instruction")
        system = _parts_text(instruction, field="systemInstruction") if instruction else ""
        question, texts = self._contents(body.get("contents"))
        settings = _object(body, "generationConfig", "generation_config")
        sampling = [
            in_range(settings, "temperature", highest=2),
            in_range(settings, "topP", highest=1),
        ]
        thinking = _object(settings, "thinkingConfig", "thinking_config")
        streams = request.path_action == "streamGenerateContent"
        sse = request.query.get("alt") == "sse"
        return Ask(
            model=request.path_model or "",
            system=system,
            question=question,
            prompt_text=(system, *texts),
            max_tokens=whole_number(settings, "maxOutputTokens"),
            stream=streams and sse,
            sampling=any(sampling),
            thinks=thinking.get("thinkingBudget") != 0,
            in_list=streams and not sse,
        )

    def _contents(self, contents: object) -> tuple[str, list[str]]:
        if not isinstance(contents, list) or not contents:
            raise invalid("contents is not specified")
        question, texts = "", []
        for place, content in enumerate(contents):
            text = _parts_text(content, field=f"contents[{place}]")
            role = content.get("role", "user")
            if role not in ("user", "model"):
                raise invalid("Please use a valid role: user, model.")
            texts.append(text)
            if role == "user":
                question = text
        return question, texts

    def failure(self, failure: Failure) -> Rendered:
        problem = failure.problem
        status, body = _error(problem, model=failure.model)
        headers = [JSON_TYPE]
        if problem.telling.retry_after is not None and problem.kind not in ("rate", "quota"):
            headers.append(("retry-after", problem.telling.retry_after))
        return Rendered(status, headers, dump(body))

    def headers(self, exchange: Exchange) -> Headers:
        return []

    def whole(self, exchange: Exchange) -> bytes:
        text_tokens = exchange.usage.output_tokens - exchange.usage.thought_tokens
        finish = _FINISHES[exchange.reply.finish]
        answer = self._answer(
            exchange, text=exchange.reply.full_text, tokens=text_tokens, finish=finish
        )
        return dump([answer] if exchange.ask.in_list else answer)

    def opening(self, exchange: Exchange) -> list[bytes]:
        return []

    def piece(self, exchange: Exchange, text: str) -> bytes:
        return self._data(self._answer(exchange, text=text, tokens=exchange.sent_tokens))

    def closing(self, exchange: Exchange) -> list[bytes]:
        finish = _FINISHES[exchange.reply.finish]
        answer = self._answer(exchange, text="", tokens=exchange.sent_tokens, finish=finish)
        return [self._data(answer)]

    def idle(self) -> bytes:
        return b": keep-alive\r\n\r\n"

    def broken(self, exchange: Exchange) -> bytes:
        problem = Problem("unavailable", "The model is overloaded.", status=503)
        return self._data(_error(problem, model=exchange.model.id)[1])

    def models(self, specs: list[Any]) -> dict[str, Any]:
        actions = ["generateContent", "streamGenerateContent"]
        return {
            "models": [
                {
                    "name": f"models/{spec.id}",
                    "displayName": spec.id,
                    "inputTokenLimit": spec.context_tokens,
                    "supportedGenerationMethods": actions,
                }
                for spec in specs
            ]
        }

    def _answer(
        self, exchange: Exchange, *, text: str, tokens: int, finish: str | None = None
    ) -> dict[str, Any]:
        content: dict[str, Any] = {"role": "model"}
        if text and exchange.reply.finish != "refusal":
            content["parts"] = [{"text": text}]
        candidate: dict[str, Any] = {"content": content, "index": 0}
        if finish is not None:
            candidate["finishReason"] = finish
        answer: dict[str, Any] = {
            "candidates": [candidate],
            "modelVersion": exchange.model.id,
            "responseId": exchange.row.request_id,
        }
        if exchange.tells_usage:
            answer["usageMetadata"] = self._usage(exchange, text_tokens=tokens)
        return answer

    def _usage(self, exchange: Exchange, *, text_tokens: int) -> dict[str, int]:
        usage = exchange.told_usage
        text_tokens = int(text_tokens * exchange.lie)
        figures = {
            "promptTokenCount": usage.input_tokens,
            "candidatesTokenCount": text_tokens,
            "totalTokenCount": usage.input_tokens + text_tokens + usage.thought_tokens,
        }
        if usage.thought_tokens:
            figures["thoughtsTokenCount"] = usage.thought_tokens
        if usage.cached_tokens:
            figures["cachedContentTokenCount"] = usage.cached_tokens
        return figures

    def _data(self, value: object) -> bytes:
        return b"data: " + dump(value) + b"\r\n\r\n"

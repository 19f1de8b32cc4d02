"""One websocket: parse frames, hand questions to the supervisor, show frames. No business.

`dispatch` is overridden because the stock one makes a thread hop before every message, through ONE
thread that all sockets share. Nothing here waits for a model: a handler that waits would block pings, the
disconnect and every later message of its socket.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from base.text import language_of
from base.writer import WriterBusy
from chatbot import accepting, choosing, frames, transcript
from chatbot.asked import Asked
from chatbot.deadlines import QUESTION_DEADLINE_S
from chatbot.frames import (
    Ask,
    BadFrame,
    Choose,
    ClientFrame,
    ErrorCode,
    Feedback,
    History,
    NotBuilt,
    Resume,
    ServerFrame,
    Stop,
)
from chatbot.models import Question
from chatbot.recovery import asked_again
from chatbot.runtime import Runtime
from chatbot.visitors import client_address, origin_is_ours, shopper_of
from chatbot.watchers import CLOSE_POLICY, CLOSE_RESTARTING, CLOSE_TOO_MANY, Viewer

logger = logging.getLogger(__name__)
MAX_STRIKES = 5


class ChatConsumer(AsyncWebsocketConsumer):
    """A viewer of one conversation that can also ask."""

    def __init__(self, *, runtime: Runtime) -> None:
        super().__init__()
        self._runtime = runtime
        self._strikes = 0
        self._locale = "en"
        self._viewer: Viewer | None = None
        self._sender: asyncio.Task[None] | None = None
        self._opened: transcript.Opened | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler directly; rows are reached through the writer and the reader only."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        """Check the origin and the address's sockets, then open the shopper's conversation."""
        runtime, address = self._runtime, client_address(self.scope)
        allowed = runtime.configuration.site.allowed_origins
        if runtime.supervisor.draining or not origin_is_ours(self.scope, allowed=allowed):
            await self.close(CLOSE_RESTARTING if runtime.supervisor.draining else CLOSE_POLICY)
            return
        if not runtime.sockets.enter(address):
            await self.close(CLOSE_TOO_MANY)
            return
        self._address = address
        try:
            self._opened = await self._open(runtime)
        finally:
            if self._opened is None:
                runtime.sockets.leave(address)
        await self.accept()
        self._viewer = runtime.watchers.join(self._opened.conversation_id)
        self._sender = asyncio.create_task(self._send_frames(self._viewer))
        self._show(
            {
                "type": "ready",
                "conversation": self._opened.public_id,
                "seq": self._opened.last_seq,
                "mode": runtime.mode,
            }
        )

    async def _open(self, runtime: Runtime) -> transcript.Opened:
        public_id, self._locale = shopper_of(self.scope)
        return await runtime.writer.run(
            partial(
                transcript.open_conversation,
                site_key=runtime.configuration.site.key,
                shopper_public_id=public_id,
                locale=self._locale,
                now=runtime.clock.now(),
                simulated=runtime.simulated,
            )
        )

    async def disconnect(self, code: int) -> None:
        """Stop looking. Running answers go on: they belong to the supervisor."""
        if self._opened is not None and self._viewer is not None:
            self._runtime.watchers.leave(self._opened.conversation_id, self._viewer)
            self._runtime.sockets.leave(self._address)
        if self._sender is not None:
            self._sender.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one frame; a bad one gets an `error`, five in a row close the socket."""
        if self._opened is None:
            return
        try:
            if text_data is None:
                raise BadFrame("bad_frame", "not_json")
            frame = frames.parse(text_data)
            await self._handle(frame, self._opened)
        except BadFrame as error:
            await self._strike(error)
        except WriterBusy:
            self._error("busy", "busy", frame_id=None, retry_after_s=5.0)
        except Exception:  # the boundary: one bad moment must not cost the shopper the socket
            logger.exception("a frame could not be handled")
            self._error("internal", "internal", frame_id=None)
        else:
            self._strikes = 0

    async def _handle(self, frame: ClientFrame, opened: transcript.Opened) -> None:
        match frame:
            case Ask():
                await self._ask(frame, opened)
            case Choose():
                await self._choose(frame, opened)
            case Stop():
                await self._stop(frame, opened)
            case Feedback():
                await self._feedback(frame, opened)
            case Resume() | History():
                await self._page(frame, opened)
            case NotBuilt():
                self._error("not_available", "not_available", frame_id=frame.id)

    async def _page(self, frame: Resume | History, opened: transcript.Opened) -> None:
        """Durable frames of the past; after the newest, what running answers have shown so far."""
        where = opened.conversation_id
        if isinstance(frame, History):
            query = partial(transcript.frames_before, where, before=frame.before)
        else:
            query = partial(transcript.frames_after, where, after=frame.after)
        found, more = await self._runtime.reader.run(query)
        self._show({"type": "resumed", "frames": found, "more": more})
        if isinstance(frame, Resume):
            for running in self._runtime.supervisor.in_progress(opened.conversation_id):
                self._show(running)

    async def _ask(self, frame: Ask, opened: transcript.Opened) -> None:
        runtime = self._runtime
        if runtime.supervisor.draining:
            # Not a word besides: the client sends what was not accepted again after it reconnected.
            if self._viewer is not None:
                runtime.watchers.close_restarting(self._viewer)
            return
        wait_s = runtime.rates.take(opened.shopper_id, now_s=runtime.clock.monotonic_s())
        if wait_s > 0:
            self._error("too_fast", "too_fast", frame_id=frame.id, retry_after_s=round(wait_s, 1))
            return
        locale = frame.locale or self._locale
        started_s = runtime.clock.monotonic_s()
        try:
            accepted, settled = await accepting.take_question(
                frame,
                opened=opened,
                locale=locale,
                language=language_of(frame.text, default=_language(locale)),
                runtime=runtime,
            )
        except Question.DoesNotExist:
            self._error("bad_frame", "unknown_question", frame_id=frame.id)
            return
        if accepted.conflict:
            self._error("conflict", "conflict", frame_id=frame.id)
        elif accepted.created:
            runtime.watchers.publish(opened.conversation_id, accepted.frame)
            await runtime.reach(accepted.revision)
            runtime.supervisor.start(self._asked(accepted, frame, opened, locale, started_s))
            for ended in settled:
                choosing.go_on(ended, runtime=runtime)
        else:
            await self._replay_question(accepted, opened)

    def _asked(
        self,
        accepted: transcript.Accepted,
        frame: Ask,
        opened: transcript.Opened,
        locale: str,
        started_s: float,
    ) -> Asked:
        text = str(accepted.frame["text"])
        return Asked(
            question_id=accepted.question_id,
            conversation_id=opened.conversation_id,
            site_id=opened.site_id,
            shopper_id=opened.shopper_id,
            client_id=frame.id,
            text=text,
            locale=locale,
            language=language_of(text, default=_language(locale)),
            past_the_cache=frame.retry_of is not None,
            started_s=started_s,
            deadline_s=started_s + QUESTION_DEADLINE_S,
            configuration=self._runtime.configuration,
            simulated=self._runtime.simulated,
        )

    async def _replay_question(
        self, accepted: transcript.Accepted, opened: transcript.Opened
    ) -> None:
        """The same id again: the frames it has had so far, as they were sent."""
        after = int(accepted.frame.get("seq", 1)) - 1
        found, _ = await self._runtime.reader.run(
            partial(transcript.frames_after, opened.conversation_id, after=after)
        )
        for body in found:
            if body.get("id") == accepted.frame.get("id"):
                self._show(body)

    async def _choose(self, frame: Choose, opened: transcript.Opened) -> None:
        choice = await choosing.choose(
            frame, conversation_id=opened.conversation_id, runtime=self._runtime
        )
        for body in choice.frames:
            self._show(body)
        if choice.verdict in choosing.REFUSALS:
            self._error(*choosing.REFUSALS[choice.verdict], frame_id=frame.id)

    async def _stop(self, frame: Stop, opened: transcript.Opened) -> None:
        runtime = self._runtime
        question = await runtime.reader.run(
            partial(transcript.find_question, opened.conversation_id, client_id=frame.id)
        )
        if question is None:
            self._error("bad_frame", "unknown_question", frame_id=frame.id)
        elif not runtime.supervisor.stop(question.id):
            await runtime.supervisor.end_stopped(asked_again(question, runtime))

    async def _feedback(self, frame: Feedback, opened: transcript.Opened) -> None:
        known = await self._runtime.writer.run(
            partial(
                accepting.take_feedback,
                opened.conversation_id,
                client_id=frame.id,
                value=frame.value,
                reason=frame.reason,
                now=self._runtime.clock.now(),
            )
        )
        if not known:
            self._error("bad_frame", "unknown_question", frame_id=frame.id)

    async def _strike(self, error: BadFrame) -> None:
        self._strikes += 1
        self._error(error.code, error.text_key, frame_id=error.frame_id)
        if self._strikes >= MAX_STRIKES and self._viewer is not None:
            self._show(None, close=True)

    def _error(
        self,
        code: ErrorCode,
        text_key: str,
        *,
        frame_id: str | None,
        retry_after_s: float | None = None,
    ) -> None:
        message = self._runtime.configuration.site.say(text_key, locale=self._locale)
        self._show(frames.error(code, message, frame_id=frame_id, retry_after_s=retry_after_s))

    def _show(self, frame: ServerFrame | None, *, close: bool = False) -> None:
        if self._viewer is None:
            return
        if frame is not None:
            self._runtime.watchers.send(self._viewer, frame)
        if close:
            self._viewer.queue.put_nowait(None)

    async def _send_frames(self, viewer: Viewer) -> None:
        """Send what is queued, in order, until the socket or the viewer ends."""
        while (frame := await viewer.queue.get()) is not None:
            await self.send(text_data=frames.encode(frame))
        await self.close(viewer.close_code)


def _language(locale: str) -> Any:
    return "zh-hans" if locale == "zh-hans" else "en"

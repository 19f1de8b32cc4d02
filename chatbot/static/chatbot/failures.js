/* Questions that ended in an error, and what can be done about them. */

import { countdown } from "./cards.js";
import { h } from "./dom.js";
import { newId } from "./ids.js";

const MAX_AUTO_RESENDS = 3;

/** The two ways a question fails, for the page's own acts: say(frame, text), ask(text), edit(text), finished(node, replay). */
export function failures({ t, log, outbox, say, ask, edit, finished }) {
  const resends = new Map();

  /** Accepted, and ended in an error: asking again is a new question. */
  function failed(turn, { retry_after_s }, text, replay) {
    outbox.settle(turn.id);
    const again = countdown(t.again, t.againIn, replay ? 0 : retry_after_s, () => {
      again.remove();
      ask(turn.question);
    });
    turn.end("error", text, again);
    finished(turn.card, replay);
  }

  /** Not accepted: the same frame may go out again, by itself as long as that makes sense. False if it was not waiting. */
  function refused(turn, { code, retry_after_s }, text) {
    const frame = outbox.settle(turn.id);
    if (!frame) return false;
    const count = (resends.get(turn.id) ?? 0) + 1;
    resends.set(turn.id, count);
    const auto = Boolean(retry_after_s) && count <= MAX_AUTO_RESENDS;
    turn.refused(text, code === "too_long"
      ? h("button", { type: "button", class: "button", onclick: () => { log.drop(turn); edit(turn.question); } }, t.edit)
      : countdown(t.again, auto ? t.resend : t.againIn, retry_after_s, () => resend(turn, frame, code), auto));
    log.announce(text);
    return true;
  }

  function resend(turn, frame, code) {
    const same = code !== "conflict";
    if (same) turn.reopen();
    else log.drop(turn);
    say(same ? frame : { ...frame, id: newId() }, turn.question);
  }

  return { failed, refused };
}

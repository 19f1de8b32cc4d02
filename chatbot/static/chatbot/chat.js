/* The chat page: what each frame of the server does to the view, and what each act of the shopper sends. */

import { correction, personMessage } from "./cards.js";
import { spoken } from "./choice.js";
import { Composer } from "./composer.js";
import { failures } from "./failures.js";
import { newId } from "./ids.js";
import { Outbox, tabStorage } from "./outbox.js";
import { Connection } from "./socket.js";
import { stringsFor } from "./strings.js";
import { Log } from "./view.js";

const PAUSE_MS = 8000;
const TYPING_MS = 6000;
const SECOND_MS = 1000;

const root = document.querySelector("[data-chat]");
const part = (name) => root.querySelector(`[data-part="${name}"]`);
const { locale, wsPath } = root.dataset;
const t = stringsFor(locale);
const storage = tabStorage();

const log = new Log({ log: part("log"), list: part("list"), hero: part("hero"), jump: part("jump"), spoken: part("spoken") }, t, locale);
const composer = new Composer({
  form: part("form"), box: part("box"), send: part("send"), stop: part("stop"), counter: part("counter"), problem: part("problem"),
}, t, storage);
const line = new Connection(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${wsPath}`, new Outbox(storage));
const { failed, refused } = failures({ t, log, outbox: line.outbox, say, ask, edit, finished });
let conversation = null;
let personAsked = false;
let typing = 0;
const title = document.title;
let unread = 0;
/* Numbers of answers that were taken back; an older one may be loaded after its correction. */
const withdrawn = new Set();

function ask(text) {
  say({ type: "ask", id: newId(), text, locale }, text);
}

/** Puts the question into the log at once and sends it when the line allows. */
function say(frame, text, note = null) {
  if (!text) return;
  log.turn(frame.id).ask(text, { note });
  log.toEnd();
  line.ask(frame, text);
}

/** A frame from the past that bears no time belongs to the day of what stands before it. */
function when(frame, replay) {
  return frame.at ?? (replay ? null : new Date().toISOString());
}

function finished(node, replay) {
  if (replay) return;
  log.announce(t.answered(node.innerText));
  log.news();
  if (document.hidden) document.title = `(${unread += 1}) ${title}`;
}

const on = {
  ready({ mode, conversation: name }) {
    if (conversation && conversation !== name) log.clear();
    conversation = name;
    showMode(mode);
  },
  accepted(frame, replay) {
    if (line.outbox.settle(frame.id)) part("problem").textContent = "";
    log.turn(frame.id).accepted({ ...frame, replay });
  },
  wait: (frame) => log.turns.get(frame.id)?.wait(frame),
  confirm(frame, replay) {
    const choose = (option) => line.say({ type: "choose", id: frame.id, option });
    if (log.turn(frame.id).confirm(frame, choose) && !replay) log.announce(spoken(frame.options, t));
  },
  chosen: (frame, replay) => log.turn(frame.id).chosen(frame, replay),
  delta: (frame) => log.turns.get(frame.id)?.delta(frame.text),
  restart: (frame) => log.turns.get(frame.id)?.restart(),
  answer(frame, replay) {
    const turn = log.turn(frame.id);
    line.outbox.settle(frame.id);
    turn.answer(frame, {
      feedback: (value, reason) => line.say({ type: "feedback", id: frame.id, value, ...(reason && { reason }) }),
      notMine: () => say({ type: "retry", id: newId(), of: turn.id }, turn.question, t.askedAgain),
    });
    if (withdrawn.has(frame.seq)) turn.withdraw();
    finished(turn.body, replay);
  },
  handoff(frame, replay) {
    personAsked = false;
    const text = [t.handoff[frame.state] ?? t.handoff.waiting, frame.eta_s ? t.handoffEta(frame.eta_s) : ""].join("");
    if (frame.id) line.outbox.settle(frame.id);
    const turn = log.turn(frame.id ?? `handoff-${frame.seq}`);
    turn.end("handoff", text);
    finished(turn.card, replay);
  },
  message(frame, replay) {
    hideTyping();
    const node = personMessage(frame, t);
    log.add(node, when(frame, replay));
    finished(node, replay);
  },
  correct(frame, replay) {
    for (const seq of [frame.of, ...(frame.also ?? [])]) {
      withdrawn.add(seq);
      log.bySeq(seq)?.withdraw();
    }
    const node = correction(frame, t, { find: () => log.bySeq(frame.of), ask });
    log.add(node, when(frame, replay));
    finished(node, replay);
  },
  typing(frame) {
    part("typing").textContent = t.personTyping(frame.from || t.staff);
    clearTimeout(typing);
    typing = setTimeout(hideTyping, TYPING_MS);
  },
  error(frame, replay) {
    const text = frame.message || (t.errors[frame.code] ?? t.errors.internal);
    const turn = frame.id && (frame.seq ? log.turn(frame.id) : log.turns.get(frame.id));
    if (!turn) general(frame, text);
    else if (frame.seq) failed(turn, frame, text, replay);
    else if (!refused(turn, frame, text)) problem(text);
  },
};

/** An error that belongs to no question: the server was too busy for any frame, or there is nobody to talk to. */
function general({ code, retry_after_s }, text) {
  if (retry_after_s) setTimeout(() => line.flush(), retry_after_s * SECOND_MS);
  if (code !== "not_available" || !personAsked) {
    problem(text);
    return;
  }
  personAsked = false;
  const turn = log.turn(newId());
  turn.end("handoff", [t.nobody, part("contact")?.textContent].filter(Boolean).join("\n"));
  finished(turn.card, false);
  log.toEnd();
}

function edit(text) {
  composer.fill(text);
  composer.focus();
}

function problem(text) {
  part("problem").textContent = text;
  log.announce(text);
}

function hideTyping() {
  clearTimeout(typing);
  part("typing").textContent = "";
}

function showMode(mode) {
  const banner = part("mode");
  banner.textContent = t[mode] && mode !== "live" ? t[mode] : "";
  part("banner").hidden = !banner.textContent && !part("notices");
  root.dataset.mode = mode;
}

function showState(state) {
  root.dataset.state = state;
  part("state").textContent = { ready: t.online, lost: t.reconnecting }[state] ?? t.connecting;
  part("lost").textContent = state === "lost" ? (navigator.onLine ? t.reconnecting : t.offline) : "";
}

function talkToPerson() {
  personAsked = true;
  line.say({ type: "human" });
  part("human").disabled = true;
  setTimeout(() => { part("human").disabled = false; }, PAUSE_MS);
  log.announce(t.personAsked);
  composer.focus();
}

line.addEventListener("frame", ({ detail: { frame, replay } }) => on[frame.type]?.(frame, replay));
line.addEventListener("history", ({ detail: frames }) => log.prepend(() => {
  for (const frame of frames) on[frame.type]?.(frame, true);
}));
line.addEventListener("state", ({ detail: state }) => {
  showState(state);
  for (const turn of log.turns.values()) turn.online = state === "ready";
});
log.onolder = () => line.older();
log.onpending = (turn) => { composer.busy = Boolean(turn) && turn.phase !== "sending"; };
composer.onsend = ask;
composer.onstop = () => {
  const turn = log.pending;
  if (turn && turn.phase !== "sending") line.say({ type: "stop", id: turn.id });
};
part("human").addEventListener("click", talkToPerson);
root.querySelectorAll("[data-suggestion]").forEach((chip) => chip.addEventListener("click", () => composer.submit(chip.textContent.trim())));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  document.title = title;
});

for (const { frame, text } of line.outbox.entries()) log.turn(frame.id).ask(text);
showState("connecting");
line.open();
composer.focus();

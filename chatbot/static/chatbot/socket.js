/* The connection: frames in order and without doubles, whatever the network does.
 *
 * Every durable frame has a `seq`, rising by one. A seq already seen is dropped; a jump means that something
 * was lost on the way, so the later frame is held until `resume` has brought the missing ones. After every
 * connect the page catches up first and only then sends what is still in the outbox: a question whose
 * `accepted` got lost is settled by the catching up and is not sent again. */

const FIRST_DELAY_MS = 400;
const MAX_DELAY_MS = 15_000;
const QUIET_MS = 10_000;
const RESTARTING = 1012;
const SPREAD_MS = 1000;
const WAITS_FOR_REPLY = new Set(["ask", "retry", "choose", "resume", "history"]);

/** Waiting time before attempt `count` (0, 1, ...): doubling, at least half of it certain, the rest by chance. */
export function backoffMs(count, random = Math.random) {
  const top = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** count);
  return top / 2 + (top / 2) * random();
}

export class Connection extends EventTarget {
  lastSeq = 0;
  oldestSeq = Infinity;
  #attempt = 0;
  #socket = null;
  #timer = 0;
  #watch = 0;
  #requests = [];
  #held = [];
  #once = [];
  #synced = false;

  /** Events: `frame` (detail: {frame, replay}), `history`, `state` (detail: "connecting" | "ready" | "lost"). */
  constructor(url, outbox) {
    super();
    this.url = url;
    this.outbox = outbox;
    window.addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  open() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    this.#synced = false;
    this.#requests = [];
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#lost(event.code);
  }

  /** A question: sent now or after the next connect, with the same id, until the server has accepted it. */
  ask(frame, text) {
    this.outbox.put(frame, text);
    if (this.#synced) this.#send(frame);
  }

  /** Anything else: sent once, now or after the next connect. */
  say(frame) {
    if (this.#synced && this.#socket.readyState === WebSocket.OPEN) this.#send(frame);
    else this.#once.push(frame);
  }

  /** Sends again what is not accepted yet. */
  flush() {
    if (this.#synced) for (const { frame } of this.outbox.entries()) this.#send(frame);
  }

  /** Asks for frames older than those shown; false if there are none or they are on their way. */
  older() {
    if (!this.#synced || this.#requests.length || !(this.oldestSeq > 1) || this.oldestSeq === Infinity) return false;
    this.#request({ type: "history", before: this.oldestSeq });
    return true;
  }

  #send(frame) {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(frame));
    if (WAITS_FOR_REPLY.has(frame.type)) this.#listen();
  }

  #request(frame) {
    this.#requests.push(frame.type);
    this.#send(frame);
  }

  #receive(frame) {
    clearTimeout(this.#watch);
    this.#watch = 0;
    if (frame.type === "ready") this.#ready(frame);
    else if (frame.type === "resumed") this.#resumed(frame);
    else if (frame.seq) this.#durable(frame);
    else this.#emit(frame);
  }

  #ready(frame) {
    if (this.conversation && this.conversation !== frame.conversation) {
      this.lastSeq = 0;
      this.oldestSeq = Infinity;
    }
    this.conversation = frame.conversation;
    this.#emit(frame);
    this.#request({ type: "resume", after: this.lastSeq });
  }

  #resumed(frame) {
    if (this.#requests.shift() === "history") {
      this.oldestSeq = frame.more && frame.frames.length ? frame.frames[0].seq : 1;
      this.dispatchEvent(new CustomEvent("history", { detail: frame.frames }));
      return;
    }
    for (const old of frame.frames) this.#pass(old, true);
    if (frame.more && frame.frames.length) this.#request({ type: "resume", after: this.lastSeq });
    else this.#caughtUp();
  }

  #caughtUp() {
    const held = this.#held.sort((one, other) => one.seq - other.seq);
    this.#held = [];
    for (const frame of held) this.#pass(frame, false);
    if (this.#synced) return;
    this.#synced = true;
    this.#attempt = 0;
    this.#state("ready");
    const late = this.#once.splice(0);
    this.flush();
    for (const frame of late) this.#send(frame);
  }

  #durable(frame) {
    if (frame.seq <= this.lastSeq) return;
    const catching = this.#requests.includes("resume");
    if (!catching && frame.seq === this.lastSeq + 1) {
      this.#pass(frame, false);
      return;
    }
    this.#held.push(frame);
    if (!catching) this.#request({ type: "resume", after: this.lastSeq });
  }

  #pass(frame, replay) {
    if (frame.seq <= this.lastSeq) return;
    this.lastSeq = frame.seq;
    this.oldestSeq = Math.min(this.oldestSeq, frame.seq);
    this.#emit(frame, replay);
  }

  #emit(frame, replay = false) {
    this.dispatchEvent(new CustomEvent("frame", { detail: { frame, replay } }));
  }

  #state(name) {
    this.dispatchEvent(new CustomEvent("state", { detail: name }));
  }

  #lost(code) {
    clearTimeout(this.#watch);
    this.#synced = false;
    this.#held = [];
    this.#state("lost");
    // A restart closes every page's socket at the same moment: they must not all be back at the same moment.
    const wait = code === RESTARTING && this.#attempt === 0 ? SPREAD_MS * Math.random() : backoffMs(this.#attempt);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.open(), wait);
  }

  #hurry() {
    if (this.#timer) this.open();
  }

  /** A line can die without a word: what was sent must bring something back, or it is a new connection. */
  #listen() {
    this.#watch ||= setTimeout(() => {
      this.#watch = 0;
      this.#socket.close();
      if (this.#socket.readyState !== WebSocket.CLOSED) this.#lostNow();
    }, QUIET_MS);
  }

  #lostNow() {
    this.#socket.onclose = null;
    this.#lost(0);
  }
}

/* One question and everything that became of it: its bubble, the waiting, the choice, the answer.
 *
 * data-phase: sending -> working | confirming | streaming -> done. `torn` means that part of the stream was
 * missed (a reload or a lost connection); pieces are then ignored until `restart` or the whole answer, since a
 * text with a hole is worse than a short wait. */

import { finish } from "./answer.js";
import { decided, offer } from "./choice.js";
import { h, icon, oncePerFrame } from "./dom.js";
import { paint } from "./markdown.js";

const SLOW_MS = 8000;

export class Turn {
  torn = false;
  #text = "";

  constructor(id, page) {
    this.id = id;
    this.page = page;
    this.t = page.t;
    this.meta = h("p", { class: "meta" });
    this.mine = h("div", { class: "mine" });
    this.body = h("div", { class: "words" });
    this.status = h("p", { class: "status" });
    this.dots = h("div", { class: "dots" }, h("i"), h("i"), h("i"), this.status);
    this.extra = h("div", { class: "extra" });
    this.card = h("div", { class: "card" }, this.dots, this.extra, this.body);
    this.reply = h("div", { class: "reply" }, h("span", { class: "face" }, icon("mark")), this.card);
    this.node = h("section", { class: "turn", "data-id": id }, this.mine, this.reply);
    this.paintSoon = oncePerFrame(() => this.#paintPartial());
    this.phase = "sending";
  }

  get phase() {
    return this.node.dataset.phase;
  }

  set phase(name) {
    this.node.dataset.phase = name;
    this.page.changed();
  }

  get pending() {
    return this.phase !== "done";
  }

  ask(text, { at = null, note = null } = {}) {
    this.question = text;
    this.node.dataset.at = at ?? this.node.dataset.at ?? new Date().toISOString();
    this.mine.replaceChildren(note ? h("p", { class: "note" }, note) : "",
      h("p", { class: "bubble", dir: "auto" }, text), this.meta);
    this.meta.textContent = this.t.sending;
  }

  accepted({ text, at, replay }) {
    if (text && this.question === undefined) this.ask(text, { at });
    if (at) this.node.dataset.at = at;
    this.meta.textContent = this.page.time(this.node.dataset.at);
    if (this.phase !== "sending") return;
    this.torn = replay;
    this.phase = "working";
    setTimeout(() => { this.status.textContent ||= this.t.longer; }, SLOW_MS);
  }

  wait({ eta_s, ahead }) {
    this.status.textContent = this.t.wait(eta_s, ahead);
    if (this.phase === "sending") this.phase = "working";
  }

  /** The near questions as buttons. False when the question is over: then there is nothing to choose. */
  confirm({ options }, choose) {
    if (!this.pending) return false;
    this.torn = false; // nothing of an answer comes before the choice
    this.extra.replaceChildren(...offer(options, this.t, choose));
    this.phase = "confirming";
    return true;
  }

  /** What was decided about the buttons, here, in another tab or by the clock. */
  chosen(frame, replay) {
    this.torn ||= replay;
    const hadFocus = this.extra.contains(document.activeElement);
    const note = decided(frame, this.t);
    this.extra.replaceChildren(note ?? "");
    if (hadFocus) note?.focus({ preventScroll: true });
    if (this.phase === "confirming") this.phase = "working";
  }

  /** The buttons go when something else speaks first; what was decided before stays. */
  #withdraw() {
    if (this.phase !== "confirming") return;
    this.extra.replaceChildren();
    this.phase = "working";
  }

  delta(text) {
    if (this.torn || !this.pending) return;
    this.#withdraw();
    this.#text += text;
    this.phase = "streaming";
    this.paintSoon();
  }

  restart() {
    this.torn = false;
    this.#text = "";
    if (this.pending) this.phase = "working";
    this.paintSoon();
  }

  /** While the line is down the question waits, and what streams meanwhile will be missing. */
  set online(online) {
    if (this.phase === "sending") this.meta.textContent = online ? this.t.sending : this.t.queued;
    else if (!online && this.pending) this.torn = true;
  }

  answer(frame, actions) {
    this.seq = frame.seq;
    this.#withdraw();
    this.#text = frame.text;
    this.#close();
    finish(this, frame, actions);
  }

  /** The answer was taken back: it says so, once, and may not be judged or passed on any more. */
  withdraw() {
    if (this.node.classList.contains("withdrawn")) return;
    this.node.classList.add("withdrawn");
    this.card.prepend(h("p", { class: "tag withdrawn" }, this.t.corrected));
    this.card.querySelector(".foot .tools")?.remove();
    this.card.querySelector(".foot .why")?.remove();
  }

  /** Ends without an answer: a note of `kind` "error" or "handoff", with buttons. */
  end(kind, text, ...buttons) {
    this.#withdraw();
    this.#close();
    this.card.append(h("div", { class: `notice ${kind}` }, icon(kind === "error" ? "alert" : "person"),
      h("div", {}, h("p", {}, text), buttons.length ? h("div", { class: "row" }, ...buttons) : null)));
  }

  /** Not accepted, and will not be sent again by itself. */
  refused(text, ...buttons) {
    this.end("error", text, ...buttons);
    this.node.classList.add("unsent");
    this.meta.textContent = "";
  }

  /** Back to the state of a question just asked. */
  reopen() {
    this.card.querySelector(".notice")?.remove();
    this.node.classList.remove("unsent");
    this.ask(this.question);
    this.phase = "sending";
  }

  #close() {
    this.card.querySelector(".notice, .foot")?.remove();
    this.phase = "done";
    if (this.meta.textContent === this.t.sending) this.meta.textContent = this.page.time(this.node.dataset.at);
    this.#paintPartial();
  }

  #paintPartial() {
    paint(this.body, this.#text);
    this.page.changed();
  }
}

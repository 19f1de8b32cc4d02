/* The log: turns in the order they were asked, day lines, the scroll position, the spoken line.
 *
 * It follows the newest text only while the reader is at the end; whoever scrolled up is left in peace and gets
 * a button. The log itself is silent for screen readers; a second region says each finished text once. */

import { h, oncePerFrame } from "./dom.js";
import { Turn } from "./turn.js";

const NEAR_END_PX = 80;
const NEAR_TOP_PX = 120;
const DAY_MS = 86_400_000;

export class Log {
  turns = new Map();
  #before = null;
  #following = true;
  #top = 0;

  /** `parts`: log, list, hero, jump, spoken (elements). */
  constructor(parts, t, locale) {
    Object.assign(this, parts);
    this.t = t;
    this.locale = locale === "zh-hans" ? "zh-CN" : "en";
    this.changed = oncePerFrame(() => this.#tidy());
    this.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.jump.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#following && this.#stick()).observe(this.log);
  }

  /** The turn of a question, made if it is not there yet. */
  turn(id) {
    let turn = this.turns.get(id);
    if (!turn) {
      turn = new Turn(id, this);
      this.turns.set(id, turn);
      this.#insert(turn.node);
    }
    return turn;
  }

  drop(turn) {
    turn.node.remove();
    this.turns.delete(turn.id);
    this.changed();
  }

  /** A line of its own: a person's message, a correction, a notice. */
  add(node, at) {
    if (at) node.dataset.at = at;
    this.#insert(node);
  }

  /** Runs `work` so that all it adds stands before what is shown now, without moving the reader. */
  prepend(work) {
    const fromEnd = this.log.scrollHeight - this.log.scrollTop;
    this.#before = this.list.firstElementChild;
    work();
    this.#before = null;
    this.#tidy();
    this.log.scrollTop = this.log.scrollHeight - fromEnd;
  }

  clear() {
    this.turns.clear();
    this.list.replaceChildren();
    this.changed();
  }

  toEnd() {
    this.#following = true;
    this.#stick();
    this.jump.hidden = true;
  }

  /** The newest question that still waits for its end. */
  get pending() {
    return [...this.turns.values()].findLast((turn) => turn.pending);
  }

  bySeq(seq) {
    return [...this.turns.values()].find((turn) => turn.seq === seq);
  }

  announce(text) {
    this.spoken.textContent = "";
    this.spoken.textContent = text;
  }

  /** Something finished: who is reading further up is told that there is more. */
  news() {
    if (this.#following) return;
    this.jump.classList.add("fresh");
    this.jump.lastElementChild.textContent = this.t.fresh;
  }

  time(iso) {
    return this.#format(iso, { hour: "2-digit", minute: "2-digit", hour12: false });
  }

  date(iso) {
    const sameYear = new Date(iso).getFullYear() === new Date().getFullYear();
    const month = this.locale === "en" ? "short" : "long";
    return this.#format(iso, { month, day: "numeric", ...(sameYear ? {} : { year: "numeric" }) });
  }

  #format(iso, options) {
    const when = new Date(iso);
    return Number.isNaN(when.getTime()) ? "" : new Intl.DateTimeFormat(this.locale, options).format(when);
  }

  #day(iso) {
    const when = new Date(iso);
    const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
    const days = Math.round((midnight(new Date()) - midnight(when)) / DAY_MS);
    return days === 0 ? this.t.today : days === 1 ? this.t.yesterday : this.date(iso);
  }

  #insert(node) {
    this.list.insertBefore(node, this.#before);
    this.changed();
  }

  #tidy() {
    let last = "";
    for (const node of [...this.list.children]) {
      if (node.classList.contains("day")) {
        node.remove();
        continue;
      }
      const day = node.dataset.at ? this.#day(node.dataset.at) : last;
      if (day && day !== last) node.before(h("p", { class: "day" }, h("span", {}, day)));
      last = day || last;
    }
    this.hero.hidden = this.list.childElementCount > 0;
    const busy = [...this.turns.values()].some((turn) => turn.phase === "streaming");
    this.log.setAttribute("aria-busy", String(busy));
    this.onpending?.(this.pending);
    if (this.#following) this.#stick();
  }

  #stick() {
    this.log.scrollTop = this.hero.hidden ? this.log.scrollHeight : 0;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    // Only a movement upwards is the reader's wish; text growing below is not.
    const up = scrollTop < this.#top;
    this.#top = scrollTop;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_END_PX || (this.#following && !up);
    this.jump.hidden = this.#following;
    if (this.#following) {
      this.jump.classList.remove("fresh");
      this.jump.lastElementChild.textContent = this.t.latest;
    }
    if (scrollTop < NEAR_TOP_PX) this.onolder?.();
  }
}

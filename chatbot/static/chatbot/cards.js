/* Pieces of the log that are not answers: a person's words, a correction, a button that counts down. */

import { h, icon } from "./dom.js";
import { paint } from "./markdown.js";

const SECOND_MS = 1000;
const NO_NAME = new Set(["", "staff", "person", "agent"]);

/** A button that counts down `wait_s` seconds, then says `label`; `early` is its text until then. */
export function countdown(label, early, wait_s, act, auto = false) {
  const button = h("button", { type: "button", class: "button" }, label);
  let left = Math.ceil(wait_s ?? 0);
  const tick = () => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? early(left) : label;
    if (left-- > 0) setTimeout(tick, SECOND_MS);
    else if (auto && button.isConnected) act();
  };
  button.addEventListener("click", act);
  tick();
  return button;
}

export function personMessage({ from, text }, t) {
  const words = h("div", { class: "words" });
  paint(words, text);
  return h("section", { class: "turn person" }, h("div", { class: "reply" }, h("span", { class: "face" }, icon("person")),
    h("div", { class: "card" }, h("p", { class: "from" }, NO_NAME.has(from ?? "") ? t.staff : from), words)));
}

/** `find` gives the corrected turn if it is loaded; `ask(text)` asks its question anew. */
export function correction({ text }, t, { find, ask }) {
  const words = h("div", { class: "words" });
  paint(words, text);
  const button = (sign, label, onclick) => h("button", { type: "button", class: "quiet", onclick }, icon(sign), label);
  const original = find();
  return h("section", { class: "turn correction" }, h("div", { class: "reply" }, h("span", { class: "face" }, icon("alert")),
    h("div", { class: "card" }, h("p", { class: "from" }, t.correction), words,
      original && h("div", { class: "tools" },
        button("arrow-up", t.seeOriginal, () => find()?.node.scrollIntoView({ block: "center" })),
        original.question && button("again", t.again, () => ask(original.question))))));
}

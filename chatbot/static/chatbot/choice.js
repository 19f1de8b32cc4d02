/* "Did you mean": the near questions as buttons, until the server says what was decided.
 *
 * A tap only marks and disables the buttons: the tap may come too late or be made in another tab, so what is shown
 * as chosen is what the server's `chosen` frame says. */

import { h, icon } from "./dom.js";

let blocks = 0;

/** The block of buttons for `options` ([{option, question}]); `choose` gets the option's number or null. */
export function offer(options, t, choose) {
  const id = `choice-${blocks += 1}`;
  const make = (option, label, kind) => h("button", { type: "button", class: kind, onclick: () => pick(option) },
    h("span", {}, label), icon("check"));
  const buttons = new Map(options.map(({ option, question }) => [option, make(option, question, "choice")]));
  buttons.set(null, make(null, t.none(options.length), "choice none"));
  const box = h("div", { class: "choices", role: "group", "aria-labelledby": id, "aria-describedby": `${id}-hint` },
    ...buttons.values());
  const hint = h("p", { class: "hint", id: `${id}-hint` }, t.confirmHint);

  let picked = false;

  function pick(option) {
    if (picked) return;
    picked = true;
    for (const [other, button] of buttons) {
      // A disabled button would lose the focus of whoever came by keyboard.
      if (other === option) button.setAttribute("aria-disabled", "true");
      else button.disabled = true;
      button.classList.toggle("picked", other === option);
    }
    hint.textContent = t.confirmSent;
    choose(option);
  }

  return [h("p", { class: "lead", id }, t.confirm(options.length)), box, hint];
}

/** What stands in the place of the buttons once it is decided; null when there is nothing to say. */
export function decided({ question, by }, t) {
  if (question) return h("p", { class: "note chosen", tabindex: "-1" }, icon("check"), h("span", {}, t.chosen(question)));
  return by === "tap" ? h("p", { class: "note chosen", tabindex: "-1" }, h("span", {}, t.chosenNone)) : null;
}

/** What a screen reader says when the question is asked. */
export function spoken(options, t) {
  const count = options.length;
  return [t.confirm(count), ...options.map(({ question }) => question), t.none(count)].join(" ");
}

/* What stands under a finished answer: where it comes from, and what the shopper can do with it. */

import { h, icon, outsideLink, safeHref } from "./dom.js";

const STORED = new Set(["exact", "semantic", "confirmed", "joined", "stale"]);

/** `actions`: feedback(value, reason), notMine(). */
export function finish(turn, frame, actions) {
  const { t } = turn;
  const foot = h("div", { class: "foot" },
    frame.stopped ? h("p", { class: "tag" }, t.stopped) : null,
    origin(frame, turn),
    toolbar(turn, frame, actions),
    h("div", { class: "why", role: "group", "aria-label": t.why, hidden: true }));
  turn.card.append(foot);
}

function origin(frame, { t, page }) {
  const parts = STORED.has(frame.cache)
    ? storedParts(frame, t, page)
    : freshParts(frame, t);
  const sign = STORED.has(frame.cache) ? "check" : { person: "person", model: "chat" }[frame.origin] ?? "book";
  const words = parts.flatMap((part, index) => (index ? [" · ", part] : [part]));
  return h("p", { class: "origin", title: frame.receipt ? `#${frame.receipt}` : null }, icon(sign), h("span", {}, ...words));
}

function storedParts(frame, t, page) {
  const links = sourceLinks(frame);
  return [
    frame.cache === "stale" ? t.beforeStale : t.before,
    frame.checked_at ? t.checked(page.date(frame.checked_at)) : null,
    typeof frame.cosine === "number" ? t.match(frame.cosine.toFixed(2)) : null,
    links && h("span", {}, `${t.basedOn} `, links),
  ].filter(Boolean);
}

function freshParts(frame, t) {
  const links = sourceLinks(frame);
  const from = {
    article: () => (links ? h("span", {}, `${t.fromArticle} `, links) : t.fromArticle),
    model: () => (frame.model ? t.byModel(frame.model) : t.byAssistant),
    template: () => t.byTemplate,
    person: () => t.byPerson,
  }[frame.origin] ?? (() => t.byAssistant);
  const more = frame.origin !== "article" && links ? h("span", {}, `${t.basedOn} `, links) : null;
  return [from(), more].filter(Boolean);
}

function sourceLinks({ sources }) {
  const nodes = (sources ?? []).map(({ title, url }) => {
    const href = safeHref(url, location.href);
    return href ? outsideLink(href, title || href) : title;
  }).filter(Boolean);
  return nodes.length ? h("span", {}, ...nodes.flatMap((node, index) => (index ? [", ", node] : [node]))) : null;
}

function toolbar(turn, frame, actions) {
  const { t } = turn;
  const row = h("div", { class: "tools" }, copyButton(turn));
  if (frame.origin !== "person") row.append(...thumbs(turn, actions));
  if (STORED.has(frame.cache)) {
    const again = h("button", { type: "button", class: "quiet", onclick: () => { again.remove(); actions.notMine(); } },
      icon("again"), t.notMine);
    row.append(again);
  }
  return row;
}

function copyButton(turn) {
  const { t } = turn;
  const button = h("button", { type: "button", class: "tool", "aria-label": t.copy, title: t.copy }, icon("copy"));
  button.addEventListener("click", async () => {
    if (!await copy(turn.body.innerText)) return;
    button.classList.add("done");
    button.replaceChildren(icon("check"));
    turn.page.announce(t.copied);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard on plain http: the old way still works there.
    const area = h("textarea", { class: "offscreen" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function thumbs(turn, actions) {
  const { t } = turn;
  const press = (value) => () => {
    for (const [name, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", name === value);
    actions.feedback(value);
    reasons(turn, value, actions);
  };
  const make = (value) => h("button",
    { type: "button", class: "tool", "aria-pressed": "false", "aria-label": t[value], title: t[value], onclick: press(value) },
    icon(value));
  const buttons = { up: make("up"), down: make("down") };
  return Object.values(buttons);
}

function reasons(turn, value, actions) {
  const { t, page } = turn;
  const box = turn.card.querySelector(".why");
  const thank = () => {
    box.replaceChildren(h("p", {}, t.thanks));
    page.announce(t.thanks);
  };
  box.hidden = false;
  if (value === "up") {
    thank();
  } else {
    const chips = Object.entries(t.reasons).map(([reason, label]) =>
      h("button", { type: "button", class: "chip", onclick: () => { actions.feedback("down", reason); thank(); } }, label));
    box.replaceChildren(h("p", {}, t.why), ...chips);
  }
  page.changed();
}

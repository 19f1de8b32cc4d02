/* The live board: fetches the cards every two seconds while the page is seen. A card is replaced only when it
changed and nobody is pressing on it; what had the focus in it keeps it. Without this script the page shows the figures of its loading. */

const EVERY_MS = 2_000;
const page = document.querySelector("[data-board]");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
let timer = 0;
let fetching = false;

// The server's template has escaped every text in it; a parsed document runs no script.
function built(html) {
  return new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
}

function put(model) {
  const old = page.querySelector(`[data-model="${model.id}"]`);
  const fresh = built(model.html);
  if (!old) part("cards").append(fresh);
  else if (!old.matches(":active") && !old.isEqualNode(fresh)) {
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    old.replaceWith(fresh);
    if (focused) fresh.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
  }
}

function show(board) {
  const ids = new Set(board.models.map((model) => String(model.id)));
  for (const card of page.querySelectorAll("[data-model]")) if (!ids.has(card.dataset.model)) card.remove();
  board.models.forEach(put);
  part("problem").textContent = board.problem;
  part("problem").hidden = !board.problem;
  part("at").textContent = board.as_of;
  part("stale").hidden = true;
}

async function look() {
  if (fetching || document.hidden) return;
  fetching = true;
  try {
    const answer = await fetch(page.dataset.board, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    show(await answer.json());
  } catch {
    part("stale").hidden = false;
  } finally {
    fetching = false;
  }
}

function watch() {
  clearInterval(timer);
  if (document.hidden) return;
  look();
  timer = setInterval(look, EVERY_MS);
}

document.addEventListener("visibilitychange", watch);
watch();

/* The review queue: one key per decision. Keys do nothing while somebody types or holds a modifier. */

const page = document.querySelector("[data-review]");
const editor = document.getElementById("edit");
const opener = page.querySelector("[data-opens]");

function open(shown) {
  if (!editor) return;
  editor.hidden = !shown;
  opener.setAttribute("aria-expanded", String(shown));
  if (shown) editor.querySelector("textarea").focus();
  else opener.focus();
}

opener?.addEventListener("click", () => open(editor.hidden));

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && editor && !editor.hidden) open(false);
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = page.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!target) return;
  event.preventDefault();
  target.click();
});

// A decision is sent once, however often the key is pressed while the next page loads.
page.querySelector("[data-decide]")?.addEventListener("submit", (event) => {
  if (page.dataset.sent) event.preventDefault();
  page.dataset.sent = "yes";
});

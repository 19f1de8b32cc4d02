/* A dry run that is under way: asks every second how far it is, and shows the report when it is done. */

const EVERY_MS = 1_000;
const card = document.querySelector("[data-dry-run]");
const part = (name) => card.querySelector(`[data-part="${name}"]`);

function show({ done, total }) {
  part("done").textContent = String(done);
  part("total").textContent = String(total);
  const bar = card.querySelector("progress");
  bar.max = Math.max(1, total);
  bar.value = done;
}

async function look() {
  try {
    const answer = await fetch(card.dataset.dryRun, { headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) {
      const state = await answer.json();
      if (!state.is_open) {
        window.location.reload();
        return;
      }
      show(state);
    }
  } catch {
    // The site is away for a moment: ask again.
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);

/* The writing box: Enter sends, Shift+Enter breaks the line, Escape stops the answer. Enter that ends an input
 * method's composition (Chinese, Japanese, Korean) belongs to the input method and never sends. */

const MAX_CHARS = 4000;
const WARN_CHARS = 3500;
const COMPOSING_KEY = 229;
const DRAFT = "chat.draft";

export class Composer {
  /** `parts`: form, box, send, stop, counter, problem (elements). Callbacks: onsend(text), onstop(). */
  constructor(parts, t, storage) {
    Object.assign(this, parts);
    this.t = t;
    this.storage = storage;
    this.box.value ||= storage.getItem(DRAFT) ?? "";
    this.box.addEventListener("input", () => this.#changed());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.stop.addEventListener("click", () => {
      this.onstop();
      this.focus();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.onstop();
    });
    this.#changed();
  }

  submit(text = this.box.value) {
    const question = text.trim();
    if (!question || length(question) > MAX_CHARS) return;
    if (text === this.box.value) this.fill("");
    this.onsend(question);
    this.focus();
  }

  fill(text) {
    this.box.value = text;
    this.#changed();
  }

  /** On a phone the keyboard opens only when the shopper asks for it. */
  focus() {
    if (matchMedia("(pointer: fine)").matches || document.activeElement === this.box) this.box.focus();
  }

  /** Shows the stop button while something can be stopped; text in the box brings the send button back. */
  set busy(busy) {
    this.form.classList.toggle("busy", busy);
    if (!busy && document.activeElement === this.stop) this.focus();
    this.stop.hidden = !busy;
  }

  #key(event) {
    const composing = event.isComposing || event.keyCode === COMPOSING_KEY;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.submit();
  }

  #changed() {
    const count = length(this.box.value.trim());
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight}px`;
    this.counter.hidden = count < WARN_CHARS;
    this.counter.textContent = this.t.counter(count, MAX_CHARS);
    this.problem.textContent = count > MAX_CHARS ? this.t.tooLong(count - MAX_CHARS) : "";
    this.box.setAttribute("aria-invalid", String(count > MAX_CHARS));
    this.send.disabled = count === 0 || count > MAX_CHARS;
    this.form.classList.toggle("written", count > 0);
    this.storage.setItem(DRAFT, this.box.value);
  }
}

/** Characters as the server counts them: a character outside the basic plane is one, not two. */
function length(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

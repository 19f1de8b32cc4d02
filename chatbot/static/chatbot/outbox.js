/* What was said and is not yet accepted by the server. Kept for the tab (a reload must not lose a question);
 * ids make a second sending harmless. */

const KEY = "chat.outbox";

/** The tab's storage; where the browser forbids it (a frame of another site), a memory that ends with the page. */
export function tabStorage() {
  try {
    return window.sessionStorage;
  } catch {
    const memory = new Map();
    return { getItem: (key) => memory.get(key) ?? null, setItem: (key, value) => memory.set(key, value) };
  }
}

export class Outbox {
  #entries = new Map();

  constructor(storage) {
    this.storage = storage;
    try {
      for (const entry of JSON.parse(storage.getItem(KEY)) ?? []) this.#entries.set(entry.frame.id, entry);
    } catch {
      // Nothing readable was stored: the outbox starts empty.
    }
  }

  /** `text` is the question as the shopper sees it (a retry's frame does not carry it). */
  put(frame, text) {
    this.#entries.set(frame.id, { frame, text });
    this.#save();
  }

  /** Takes the entry out and returns its frame; undefined if it was not here. */
  settle(id) {
    const entry = this.#entries.get(id);
    if (this.#entries.delete(id)) this.#save();
    return entry?.frame;
  }

  entries() {
    return [...this.#entries.values()];
  }

  #save() {
    try {
      this.storage.setItem(KEY, JSON.stringify(this.entries()));
    } catch {
      // Storage is full or forbidden: the page still works, only a reload would forget.
    }
  }
}

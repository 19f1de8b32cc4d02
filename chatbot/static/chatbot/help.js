/* Articles: the Markdown source in the page becomes elements. Without JavaScript it stays readable text. */

import { paint } from "./markdown.js";

for (const node of document.querySelectorAll("[data-markdown]")) {
  const source = node.textContent;
  node.textContent = "";
  paint(node, source.trim());
  node.dataset.painted = "";
}

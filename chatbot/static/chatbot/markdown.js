/* Markdown to DOM nodes: paragraphs, headings, lists, quotes, code blocks and tables. HTML in the source is
 * text like any other; there are no images. `paint` keeps the blocks that did not change, so a text that is
 * still arriving can be painted on every frame and what the reader has selected stays selected. */

import { h } from "./dom.js";
import { inline } from "./inline.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}>\s?/;
const ITEM = /^(\s*)([-*+•]|\d{1,9}[.)])\s+(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const MAX_DEPTH = 6;

const painted = new WeakMap();

/** Makes `container` show `source`. Cheap when only the end of the text changed. */
export function paint(container, source) {
  const old = painted.get(container) ?? [];
  const blocks = split(source);
  let same = 0;
  while (same < old.length && same < blocks.length && old[same].raw === blocks[same].raw) same += 1;
  for (const block of old.slice(same)) block.node.remove();
  const fresh = blocks.slice(same).map(({ raw, make }) => ({ raw, node: make() }));
  container.append(...fresh.map((block) => block.node));
  painted.set(container, [...old.slice(0, same), ...fresh]);
}

/** The blocks of a source, each with its own text and a way to make its element. */
function split(source, depth = 0) {
  const lines = source.replace(/\r\n?/g, "\n").split("\n");
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [end, make] = read(lines, at, depth);
    const own = lines.slice(at, end);
    blocks.push({ raw: own.join("\n"), make: () => make(own) });
    at = end;
  }
  return blocks;
}

function read(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line)) return [fenceEnd(lines, at), codeBlock];
  if (HEADING.test(line)) return [at + 1, heading];
  if (RULE.test(line)) return [at + 1, () => h("hr")];
  if (isTable(lines, at)) return [runEnd(lines, at + 2, (next) => next.includes("|")), table];
  if (depth < MAX_DEPTH && QUOTE.test(line)) {
    return [runEnd(lines, at + 1, (next) => QUOTE.test(next)), (own) => quote(own, depth)];
  }
  if (depth < MAX_DEPTH && ITEM.test(line)) return [listEnd(lines, at), (own) => list(own, depth)];
  return [runEnd(lines, at + 1, (next, index) => !startsBlock(lines, index)), paragraph];
}

function startsBlock(lines, at) {
  const line = lines[at];
  const shapes = [FENCE, HEADING, RULE, QUOTE, ITEM];
  return shapes.some((shape) => shape.test(line)) || isTable(lines, at);
}

function runEnd(lines, from, goesOn) {
  let at = from;
  while (at < lines.length && lines[at].trim() && goesOn(lines[at], at)) at += 1;
  return at;
}

function fenceEnd(lines, at) {
  const mark = FENCE.exec(lines[at])[1];
  const close = lines.findIndex((line, index) => index > at && line.trim().startsWith(mark));
  return close < 0 ? lines.length : close + 1;
}

function codeBlock(lines) {
  const mark = FENCE.exec(lines[0])[1];
  const closed = lines.length > 1 && lines.at(-1).trim().startsWith(mark);
  const body = lines.slice(1, closed ? -1 : undefined).join("\n");
  // Focusable because a long line scrolls, and a keyboard must be able to scroll it.
  return h("pre", { tabindex: "0" }, h("code", {}, body));
}

function heading(lines) {
  const [, marks, text] = HEADING.exec(lines[0]);
  return h(`h${Math.min(marks.length + 1, 5)}`, {}, inline(text));
}

function paragraph(lines) {
  return h("p", {}, inline(lines.map((line) => line.trim()).join("\n")));
}

function quote(lines, depth) {
  return nested("blockquote", lines.map((line) => line.replace(QUOTE, "")), depth);
}

function nested(tag, lines, depth) {
  return h(tag, {}, ...split(lines.join("\n"), depth + 1).map((block) => block.make()));
}

/** A list ends at a blank line that no indented line or further item follows, or at another kind of list. */
function listEnd(lines, at) {
  const first = ITEM.exec(lines[at]);
  const mine = (line) => {
    const item = ITEM.exec(line);
    return item && (item[1].length > first[1].length || ordered(item) === ordered(first));
  };
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end];
    const next = line.trim() ? line : lines[end + 1] ?? "";
    const indented = /^\s{2,}\S/.test(next);
    if (!next.trim() || !(indented || mine(next))) {
      const lazy = line.trim() && lines[end - 1].trim() && !startsBlock(lines, end);
      if (!lazy) break;
    }
    end += 1;
  }
  return end;
}

function ordered(item) {
  return /\d/.test(item[2]);
}

function list(lines, depth) {
  const first = ITEM.exec(lines[0]);
  const inner = new RegExp(`^\\s{1,${first[1].length + first[2].length + 1}}`);
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= first[1].length + 1) items.push([item[3]]);
    else items.at(-1).push(line.replace(inner, ""));
  }
  const start = ordered(first) ? Number.parseInt(first[2], 10) : 1;
  const node = h(ordered(first) ? "ol" : "ul", { start: start === 1 ? null : start });
  node.append(...items.map((item) => listItem(item, depth)));
  return node;
}

function listItem(lines, depth) {
  const item = nested("li", lines, depth);
  const only = item.firstElementChild;
  // A tight item holds its words, not a paragraph of them.
  if (only?.tagName === "P") only.replaceWith(...only.childNodes);
  return item;
}

function isTable(lines, at) {
  const [head, rule] = [lines[at], lines[at + 1]];
  return Boolean(rule?.includes("-") && head.includes("|") && TABLE_RULE.test(rule)
    && cells(head).length === cells(rule).length);
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}

function table(lines) {
  const [head, , ...rows] = lines.map(cells);
  const row = (tag, texts) => h("tr", {}, ...head.map((_, column) => h(tag, {}, inline(texts[column] ?? ""))));
  return h("div", { class: "table", tabindex: "0" }, h("table", {},
    h("thead", {}, row("th", head)), h("tbody", {}, ...rows.map((texts) => row("td", texts)))));
}

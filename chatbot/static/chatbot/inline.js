/* Markdown inside one block: bold, italics, code and http(s) links, as DOM nodes. Unfinished or unknown
 * marks stay the characters they are, so text that is still arriving never breaks. */

import { h, outsideLink, safeHref } from "./dom.js";

const MAX_DEPTH = 6;
const MAX_LABEL_CHARS = 500;
const MAX_URL_CHARS = 2000;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const WORD = /[\p{L}\p{N}]/u;
// ASCII only: a Chinese full stop or bracket right after an address is not part of it.
const BARE_URL = /https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/iy;
const INTERESTING = /[\\`*_[hH\n]/g;

export function inline(source, depth = 0) {
  // Marks that close nowhere further on: without this list a long run of them would be searched again and again.
  const open = new Set();
  const out = document.createDocumentFragment();
  let plain = "";
  let at = 0;
  const put = (node) => {
    if (plain) out.append(plain);
    plain = "";
    out.append(node);
  };
  while (at < source.length) {
    INTERESTING.lastIndex = at;
    const next = INTERESTING.exec(source)?.index ?? source.length;
    plain += source.slice(at, next);
    at = next;
    if (at === source.length) break;
    const found = depth < MAX_DEPTH ? match(source, at, depth, open) : null;
    if (found?.node) put(found.node);
    else plain += found ? found.text : source[at];
    at = found ? found.end : at + 1;
  }
  if (plain) out.append(plain);
  return out;
}

function match(source, at, depth, open) {
  switch (source[at]) {
    case "\\": return escaped(source, at);
    case "`": return code(source, at, open);
    case "[": return link(source, at, depth);
    case "\n": return { node: h("br"), end: at + 1 };
    case "h": case "H": return bareUrl(source, at);
    default: return strong(source, at, depth, open) ?? emphasis(source, at, depth, open);
  }
}

function escaped(source, at) {
  const char = source[at + 1];
  return char && PUNCTUATION.test(char) ? { text: char, end: at + 2 } : null;
}

function code(source, at, open) {
  const fence = /`+/y;
  fence.lastIndex = at;
  const ticks = fence.exec(source)[0];
  const end = open.has(ticks) ? -1 : source.indexOf(ticks, at + ticks.length);
  if (end < 0) {
    open.add(ticks);
    return { text: ticks, end: at + ticks.length };
  }
  return { node: h("code", {}, source.slice(at + ticks.length, end).trim()), end: end + ticks.length };
}

function link(source, at, depth) {
  const middle = source.slice(at, at + MAX_LABEL_CHARS).indexOf("](") + at;
  if (middle < at) return null;
  const label = source.slice(at + 1, middle);
  const end = closing(source, middle + 2);
  if (label.includes("[") || label.includes("]") || end < 0) return null;
  const target = source.slice(middle + 2, end).trim().split(/\s+/)[0];
  const href = safeHref(target);
  if (!href) return { node: inline(label, depth + 1), end: end + 1 };
  return { node: outsideLink(href, inline(label.replace(/https?:\/\//gi, ""), MAX_DEPTH - 1)), end: end + 1 };
}

/** Where the bracket opened before `from` closes: brackets inside an address come in pairs. */
function closing(source, from) {
  const last = Math.min(source.length, from + MAX_URL_CHARS);
  let open = 0;
  for (let at = from; at < last && source[at] !== "\n"; at += 1) {
    if (source[at] === "(") open += 1;
    if (source[at] === ")" && open-- === 0) return at;
  }
  return -1;
}

function bareUrl(source, at) {
  if (at && WORD.test(source[at - 1]) && source.charCodeAt(at - 1) < 128) return null;
  BARE_URL.lastIndex = at;
  let text = BARE_URL.exec(source)?.[0];
  if (!text) return null;
  text = text.replace(/[.,;:!?'*_~]+$/, "");
  if (text.endsWith(")") && !text.includes("(")) text = text.slice(0, -1);
  const href = safeHref(text);
  return href ? { node: outsideLink(href, text), end: at + text.length } : null;
}

function strong(source, at, depth, open) {
  const mark = source.slice(at, at + 2);
  if (mark !== "**" && mark !== "__") return null;
  return span("strong", mark, source, at, depth, open);
}

function emphasis(source, at, depth, open) {
  const mark = source[at];
  // snake_case is a word and 30*20*10 cm a size, neither is emphasis.
  if (at && (mark === "_" ? WORD : /\d/).test(source[at - 1])) return null;
  return source[at + 1] === mark ? null : span("em", mark, source, at, depth, open);
}

function span(tag, mark, source, at, depth, open) {
  const from = at + mark.length;
  if (open.has(mark) || !source[from] || /\s/.test(source[from])) return null;
  let end = source.indexOf(mark, from + 1);
  while (end >= 0 && !closes(mark, source, end)) end = source.indexOf(mark, end + 1);
  if (end < 0) {
    open.add(mark);
    return null;
  }
  return { node: h(tag, {}, inline(source.slice(from, end), depth + 1)), end: end + mark.length };
}

function closes(mark, source, end) {
  if (/\s|\\/.test(source[end - 1])) return false;
  if (mark.length === 1 && (source[end + 1] === mark || source[end - 1] === mark)) return false;
  return mark[0] !== "_" || !WORD.test(source[end + mark.length] ?? " ");
}

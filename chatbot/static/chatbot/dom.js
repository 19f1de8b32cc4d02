/* Elements from data. Every string becomes a text node or an attribute value, never markup, so nothing
 * that a shopper, a model or the server wrote can turn into an element or a script. */

const SVG = "http://www.w3.org/2000/svg";

/** h("a", {class: "x", href, onclick: f}, "text", node): null, undefined and false are left out. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A picture of the sheet in base.html, for the eye only. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** The address if it is an absolute http(s) one without a user name in it, else null. */
export function safeHref(text, base) {
  let url;
  try {
    url = new URL(text, base);
  } catch {
    return null;
  }
  const plain = url.protocol === "http:" || url.protocol === "https:";
  return plain && !url.username && !url.password ? url.href : null;
}

export function outsideLink(href, ...children) {
  return h("a", { href, rel: "noopener nofollow", target: "_blank" }, ...children);
}

/** Calls `work` at most once per animation frame, however often it is asked for. */
export function oncePerFrame(work) {
  let booked = 0;
  return () => {
    booked ||= requestAnimationFrame(() => {
      booked = 0;
      work();
    });
  };
}

// Puts the parts of a freshly rendered page in place of the old ones, without losing the reader's place in them.

/** Replaces each [data-part] of `root` by its namesake in `html`; a part with data-keep only takes the new attributes. */
export function swapParts(root, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const opened = new Set([...root.querySelectorAll("details[open][id]")].map((details) => details.id));
  const focused = root.contains(document.activeElement) ? document.activeElement.id : "";
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = root.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!old) continue;
    if (part.hasAttribute("data-keep")) takeAttributes(old, part);
    else old.replaceWith(document.adoptNode(part));
  }
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function takeAttributes(old, part) {
  for (const { name } of [...old.attributes]) {
    if (name !== "class" && !part.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of part.attributes) {
    if (name !== "class" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const words of part.querySelectorAll("[data-words]")) {
    const target = old.querySelector(`[data-words="${words.dataset.words}"]`);
    if (target) {
      target.textContent = words.textContent;
      target.hidden = words.hidden;
    }
  }
}

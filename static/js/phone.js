// The demo's phone looks for new messages while somebody looks at it.
import { swapParts } from "./parts.js";

const inbox = document.querySelector("[data-inbox]");
const EVERY_MS = 1500;

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.ok) show(await answer.text());
    } catch {
      // The demo is being restarted; the next look will tell.
    }
  }
  setTimeout(look, EVERY_MS);
}

function show(html) {
  const before = inbox.querySelector('[data-part="messages"]').dataset.newest;
  const page = new DOMParser().parseFromString(html, "text/html");
  const after = page.querySelector('[data-part="messages"]')?.dataset.newest;
  if (after && after !== before) swapParts(inbox, html);
}

setTimeout(look, EVERY_MS);

// Change flows over the page: the same server pages, fetched into a dialog. Without this script they are plain pages.

const dialog = document.querySelector("[data-sheet-dialog]");
const body = dialog.querySelector("[data-sheet-body]");
const wait = dialog.querySelector("[data-sheet-wait]");
const lost = dialog.querySelector("[data-sheet-lost]");
const PAGE = location.pathname;
const SAY_WAIT_AFTER_MS = 300;

let opener = "";
let again = 0;

const LINK = /^\/t\/[^/]+\//;
const isFlow = (url) => url.origin === location.origin && url.pathname.startsWith(`${PAGE}/`);

function open(url, from) {
  opener = from?.id ?? "";
  body.replaceChildren();
  if (!dialog.open) {
    dialog.showModal();
    history.pushState({ sheet: true }, "");
  }
  load(url);
}

async function load(url, request = {}) {
  clearTimeout(again);
  const timer = setTimeout(() => (wait.hidden = false), SAY_WAIT_AFTER_MS);
  body.setAttribute("aria-busy", "true");
  lost.hidden = true;
  try {
    const answer = await fetch(url, { ...request, headers: { "X-Part": "sheet" }, cache: "no-store" });
    const landed = new URL(answer.url);
    // Another address gives the delivery a new link: the old page is over, its answer stands at the new one.
    if (LINK.test(landed.pathname) && !isFlow(landed) && landed.pathname !== PAGE) return location.assign(landed);
    if (!isFlow(landed)) return close();
    body.dataset.url = landed.href;
    show(await answer.text());
  } catch {
    lost.hidden = false;
  } finally {
    clearTimeout(timer);
    wait.hidden = true;
    body.setAttribute("aria-busy", "false");
  }
}

function show(html) {
  const flow = new DOMParser().parseFromString(html, "text/html").getElementById("content");
  if (!flow) return close();
  const waits = flow.querySelector("[data-again]");
  if (waits) again = setTimeout(() => dialog.open && load(body.dataset.url), 1000 * Number(waits.dataset.again));
  if (waits && body.querySelector("[data-again]")) return; // still the same: nothing to read anew
  body.replaceChildren(...document.adoptNode(flow).childNodes);
  dialog.scrollTop = 0;
  const heading = body.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  (body.querySelector("[autofocus]") ?? heading)?.focus({ preventScroll: true });
  // What was changed shows on the page behind at once.
  if (body.querySelector("[data-changed]")) document.dispatchEvent(new CustomEvent("doorstep:refresh"));
}

function close() {
  if (!dialog.open) return;
  if (history.state?.sheet) history.back();
  else dialog.close();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const inside = dialog.contains(link);
  if (!inside && !link.hasAttribute("data-sheet")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin) return;
  event.preventDefault();
  if (!isFlow(url)) close();
  else if (inside) load(url);
  else open(url, link);
});

dialog.addEventListener("submit", (event) => {
  const form = event.target;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  // getAttribute: a field named "action" or "method" would hide the form's own.
  const url = new URL(form.getAttribute("action") || body.dataset.url || location.href, location.href);
  if ((form.getAttribute("method") ?? "get").toLowerCase() === "post") return load(url, { method: "POST", body: data });
  url.search = new URLSearchParams(data);
  load(url);
});

dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("[data-sheet-close]")) close();
});
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});
dialog.addEventListener("close", () => {
  document.dispatchEvent(new CustomEvent("doorstep:refresh"));
  if (opener) document.getElementById(opener)?.focus({ preventScroll: true });
});
addEventListener("popstate", () => dialog.open && dialog.close());

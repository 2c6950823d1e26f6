// The driver's page: taps are kept first and sent then, so a dead spot loses nothing; the page keeps itself fresh.
import { prepareScans } from "./driver-barcode.js";
import { forgetWhenOver, nextHeld, refreshHold } from "./driver-hold.js";
import { lastFix, sharePosition } from "./driver-position.js";
import { flush, tap, tapAgain } from "./driver-queue.js";
import { prepareSheets, signatureOf } from "./driver-signature.js";
import { dropTap, lockedOut, needed, signedIn, waiting } from "./driver-store.js";
import { swapParts } from "./parts.js";

const round = document.querySelector("[data-round]");
// A visitor who drives in the demo wants to see the van come nearer.
const EVERY_MS = document.querySelector('[data-part="demo"]') ? 3_000 : 10_000;
const part = (name) => round.querySelector(`[data-part="${name}"]`);
const words = (name) => round.querySelector(`template[data-words-${name}]`).content.textContent;
const csrf = () => round.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

/** True while something typed, chosen or photographed would be lost. */
function isBusy() {
  const form = document.getElementById("finish");
  const trouble = document.getElementById("trouble");
  const typed = form && [...new FormData(form).entries()].some(([name, value]) => isAnswer(form, name, value));
  return Boolean(typed || trouble?.open || form?.querySelector("[data-signed]") || round.querySelector(".doorcode"));
}

function isAnswer(form, name, value) {
  if (value instanceof File) return value.size > 0;
  const field = form.elements[name];
  return field?.type === "text" || field?.type === "textarea" ? value !== field.defaultValue : false;
}

async function look() {
  try {
    if (await forgetWhenOver()) clearStops();
    await sendWaiting();
    if (part("demo")) round.dataset.stale = "1";
    if (!document.hidden && !isBusy()) await refresh();
  } catch {
    await showOffline(true);
  }
  setTimeout(look, EVERY_MS);
}

/** Asks for the page anew when it would look different, and for what to hold. */
async function refresh({ anyway = false } = {}) {
  const answer = await fetch(round.dataset.route, { cache: "no-store" });
  if (answer.status === 401) return leave();
  if (!answer.ok) throw new Error(`${answer.status}`);
  const route = await answer.json();
  await signedIn();
  await showOffline(false);
  if (!anyway && (route.mark ?? "") === part("bar").dataset.mark && !round.dataset.stale) return;
  const page = await fetch(round.dataset.page, { cache: "no-store" });
  if (!page.ok) throw new Error(`${page.status}`);
  const html = await page.text();
  if (round.hasAttribute("data-shell")) return location.reload();
  if (!anyway && isBusy()) return;
  const before = round.querySelector("[data-stop]")?.dataset.stop;
  swapParts(round, html);
  delete round.dataset.stale;
  onPage = null;
  await showNeeded();
  if (round.querySelector("[data-stop]")?.dataset.stop !== before) window.scrollTo(0, 0);
  prepare();
  await holdStops();
}

async function holdStops() {
  await refreshHold(round.dataset.hold, csrf()).catch(() => false);
}

/** Sends what waits; what the server did not accept is said in its words. */
async function sendWaiting() {
  if ((await waiting()).length === 0) return showNeeded();
  let result = await flush(round.dataset.events, csrf());
  // An old page's token has run out: a fresh one is on a fresh page, and nothing was lost.
  if (result.refused === 403 && (await renewToken())) result = await flush(round.dataset.events, csrf());
  if (result.locked) return leave();
  await showNeeded();
  if (result.refused) showProblem(words("not-accepted"));
  const said = result.answers.filter(({ ok, message }) => !ok || message);
  if (said.length > 0) showProblem(said.map(({ message }) => message).join(" "));
  if (result.answers.length > 0) round.dataset.stale = "1";
  if (result.offline) throw new Error("offline");
  return result;
}

async function renewToken() {
  const answer = await fetch(round.dataset.page, { cache: "no-store" });
  if (!answer.ok) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = fresh.querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (!token) return false;
  for (const field of round.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
  return true;
}

// The stop whose form on the page still holds what was just said of it.
let onPage = null;

/** What the server refused, each with its words, until it is corrected at its stop, sent again or thrown away. */
async function showNeeded() {
  const taps = (await needed()).filter(({ fields }) => fields.visit !== onPage);
  const box = round.querySelector("[data-needed]");
  box.hidden = taps.length === 0;
  box.querySelector("ul").replaceChildren(...taps.map((one) => neededRow(one, box.querySelector("template"))));
}

function neededRow({ seq, at, files, refused }, template) {
  const row = template.content.cloneNode(true).firstElementChild;
  const photos = files.filter(({ name }) => name === "photo").length;
  row.querySelector("[data-needed-when]").textContent = new Date(at).toLocaleTimeString([], { timeStyle: "short" });
  row.querySelector("[data-needed-words]").textContent = refused;
  row.querySelector("[data-needed-photos]").textContent = photos ? `${words("photos")} ${photos}` : "";
  row.querySelector("[data-again]").addEventListener("click", async () => {
    await tapAgain(seq);
    await sendWaiting().then(() => refresh({ anyway: true })).catch(() => showOffline(true));
  });
  row.querySelector("[data-discard]").addEventListener("click", async () => {
    await dropTap(seq);
    await showNeeded();
  });
  return row;
}

/** Nothing of a stop stays on the screen of a phone whose shift is over. */
function clearStops() {
  part("later").replaceChildren();
  part("news").replaceChildren();
  part("stop").textContent = words("over");
  round.dataset.stale = "1";
}

async function leave() {
  await lockedOut();
  location.reload();
}

async function showOffline(isOffline) {
  round.querySelector("[data-offline]").hidden = !isOffline;
  const taps = isOffline ? await waiting() : [];
  round.querySelector("[data-waiting]").textContent = taps.length ? `${words("waiting")} ${taps.length}` : "";
  if (isOffline && (taps.length > 0 || round.hasAttribute("data-shell"))) await drawHeld();
}

function showProblem(message) {
  round.querySelector("[data-problem]").hidden = !message;
  round.querySelector("[data-problem-words]").textContent = message;
  if (message) round.querySelector("[data-problem]").scrollIntoView({ block: "center" });
}

/** The next stop by what the phone knows itself. */
async function drawHeld() {
  const next = await nextHeld();
  const shown = part("stop");
  if (next.known) showDone(next);
  if (!next.known) {
    if (next.over) shown.textContent = words("over");
    return;
  }
  const state = next.stop ? `${next.stop.visit} ${next.html === next.stop.html.arrived}` : "none";
  if (shown.dataset.held === state) return;
  shown.dataset.held = state;
  round.dataset.stale = "1";
  part("later").replaceChildren();
  part("news").replaceChildren();
  if (!next.stop) {
    shown.innerHTML = `<p class="banner banner--warn"></p>`;
    shown.firstChild.textContent = words("no-more");
    return;
  }
  shown.innerHTML = next.html;
  window.scrollTo(0, 0);
  for (const { kind, fields } of next.taps) {
    const reads = fields.sentence ? "" : "[data-reads]";
    if (kind === "message") unpin(shown.querySelector(`form[data-message="${fields.message}"]${reads}`));
    if (kind === "acknowledge") unpin(shown.querySelector(`form[data-kind=acknowledge][data-delivery="${fields.delivery}"]`));
  }
  for (const form of shown.querySelectorAll("form[data-code-of]")) {
    const code = next.codes[form.dataset.codeOf];
    if (code) showCode(form, code);
  }
  prepare();
}

function showDone({ done, total }) {
  const count = round.querySelector(".round__count");
  if (count) count.textContent = words("done").replace("{done}", done).replace("{total}", total);
  const bar = round.querySelector(".round__progress");
  if (bar) bar.value = done;
}

function showCode(form, code) {
  const shown = document.createElement("p");
  shown.className = "doorcode numbers";
  shown.dir = "ltr";
  shown.textContent = code;
  form.replaceWith(shown);
}

/** What was read is pinned no longer; a message may still be answered until it is. */
function unpin(form) {
  const told = form?.closest(".told");
  told?.classList.remove("told--pinned");
  for (const button of told?.querySelectorAll(".wide--told") ?? []) button.classList.replace("wide--told", "wide--quiet");
  if (form && !form.hasAttribute("data-reads")) told?.querySelector("[data-answers]")?.remove();
  form?.remove();
}

/** What a form says, as an event's fields and files. */
async function told(form) {
  const fields = { ...lastFix(), visit: form.dataset.visit, delivery: form.dataset.delivery, notice: form.dataset.notice };
  const files = [];
  for (const [name, value] of new FormData(form).entries()) {
    if (name === "csrfmiddlewaretoken") continue;
    if (value instanceof File) {
      if (value.size > 0) files.push({ name, blob: value });
    } else if (value !== "") fields[name] = value;
  }
  const signature = await signatureOf(form);
  if (signature) files.push({ name: "signature", blob: signature });
  return { fields, files };
}

async function submit(form) {
  showProblem("");
  if (form.dataset.kind === "arrive" && round.querySelector('[data-part="stop"] .told--pinned form[data-kind="acknowledge"]')) {
    return showProblem(words("read-first"));
  }
  const { fields, files } = await told(form);
  try {
    await tap(form.dataset.kind, fields, files);
  } catch (error) {
    if (error instanceof RangeError) return showProblem(words("full"));
    // A phone that cannot keep anything sends the form as any browser would.
    form.dataset.plain = "1";
    return form.requestSubmit();
  }
  if (form.dataset.kind === "acknowledge" || form.dataset.kind === "message") unpin(form);
  if (form.dataset.kind === "rest") showRest(form);
  onPage = keepsForm(form) ? fields.visit : null;
  try {
    const result = await sendWaiting();
    const refused = result?.answers.some(({ ok }) => !ok);
    if (!refused) await refresh({ anyway: true });
    else if (!keepsForm(form)) await refresh({ anyway: true });
    else openWhy(form, result);
  } catch {
    onPage = null;
    await showOffline(true);
  }
}

/** Without signal the other button shows at once. */
function showRest(form) {
  for (const other of form.parentElement.querySelectorAll("form")) other.hidden = other === form;
}

/** What was typed stays when the server said no to it. */
const keepsForm = (form) => form.dataset.kind === "complete" || form.dataset.kind === "fail";

function openWhy(form) {
  const why = form.querySelector("[name=anyway]")?.closest("details");
  if (why) why.open = true;
}

round.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.kind || form.dataset.plain) return;
  event.preventDefault();
  // A second tap on the same button says nothing new; another button may be quicker than the first one's answer.
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  try {
    await submit(form);
  } finally {
    delete form.dataset.sending;
  }
});

round.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-contact]");
  if (!link) return;
  const fields = { delivery: link.dataset.delivery, channel: link.dataset.contact };
  tap("contact", fields)
    .then(sendWaiting)
    .then(() => refresh())
    .catch(() => showOffline(true));
});

round.addEventListener("change", (event) => {
  if (event.target.name !== "photo") return;
  const label = event.target.closest("label");
  label.classList.toggle("photo--taken", event.target.files.length > 0);
  const names = [...event.target.files].map(({ name }) => name).join(", ");
  if (names) label.querySelector("[data-photo-words]").textContent = names;
});

function prepare() {
  prepareSheets(round);
  prepareScans(round);
}

async function start() {
  sharePosition(round);
  prepare();
  if ("serviceWorker" in navigator) navigator.serviceWorker.register(round.dataset.worker).catch(() => null);
  navigator.storage?.persist?.();
  window.addEventListener("online", () => sendWaiting().then(() => refresh({ anyway: true })).catch(() => null));
  window.addEventListener("offline", () => showOffline(true));
  await forgetWhenOver();
  await showNeeded();
  if (round.hasAttribute("data-shell")) await showOffline(true);
  else await holdStops();
  look();
}

start();

// Keeps the page true: a socket tells of newer documents and of the van; polling stands in while there is none.
// The words always come from the server: a newer version makes the page fetch its own fragment again.
import { swapParts } from "./parts.js";

const root = document.querySelector("[data-live]");
const POLL_LOOKING_MS = 5_000;
const POLL_AWAY_MS = 60_000;
const LONGEST_WAIT_MS = 30_000;
const ANNOUNCE_EVERY_MS = 60_000;

let version = Number(root.dataset.version);
let socket = null;
let misses = 0;
let wanted = 0;
let loading = false;
let pollTimer = 0;
let lastSpoken = 0;
let speechTimer = 0;
let stateTag = "";

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const hero = () => root.querySelector('[data-part="hero"]');

function connect() {
  const address = new URL(root.dataset.socket, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.onopen = () => {
    misses = 0;
    showOffline(false);
    clearTimeout(pollTimer);
  };
  socket.onmessage = (message) => hear(JSON.parse(message.data));
  socket.onclose = (event) => {
    socket = null;
    misses += 1;
    // 4404: the link has ended, or reads more than before. The page itself knows.
    if (event.code === 4404) refresh();
    if (misses === 1) schedulePoll(0);
    setTimeout(connect, Math.min(LONGEST_WAIT_MS, 1000 * 2 ** Math.min(misses, 5)) * (0.6 + 0.8 * Math.random()));
  };
}

function hear(message) {
  if (message.type === "page" && message.document.version > version) refresh(message.document.version);
  if (message.type === "dot") tell("doorstep:dot", message.dot);
}

/** Fetches the rendered fragment; one at a time, and again if something newer was announced meanwhile. */
async function refresh(newest = version) {
  wanted = Math.max(wanted, newest);
  if (loading) return;
  loading = true;
  try {
    const answer = await fetch(root.dataset.fragment, { headers: { "X-Part": "live" }, cache: "no-store" });
    if (answer.status === 404) return gone();
    if (answer.ok) show(await answer.text());
  } catch {
    schedulePoll(POLL_LOOKING_MS);
  } finally {
    loading = false;
  }
  if (wanted > version) setTimeout(refresh, 1000, wanted);
}

/** The link has ended. Whoever is in the middle of a change sees its answer first: it may have made a new link. */
function gone() {
  if (!document.querySelector("dialog[open]")) return location.reload();
  setTimeout(gone, 1000);
}

function show(html) {
  const before = document.getElementById("answer")?.textContent;
  swapParts(root, html);
  version = Math.max(version, Number(hero().dataset.version));
  wanted = Math.min(wanted, version);
  document.title = hero().dataset.title;
  const answer = document.getElementById("answer");
  if (answer && answer.textContent !== before) answer.classList.add("is-new");
  announce();
  tell("doorstep:page");
}

/** Says the newest answer politely, at most once a minute, so that a rolling ETA does not chatter. */
function announce() {
  const place = document.querySelector("[data-announce]");
  const speak = () => {
    const words = hero().dataset.say;
    if (words !== place.dataset.said) place.textContent = place.dataset.said = words;
    lastSpoken = Date.now();
  };
  place.dataset.said ??= "";
  clearTimeout(speechTimer);
  speechTimer = setTimeout(speak, Math.max(0, lastSpoken + ANNOUNCE_EVERY_MS - Date.now()));
}

function schedulePoll(delay) {
  clearTimeout(pollTimer);
  if (!socket || socket.readyState !== WebSocket.OPEN) pollTimer = setTimeout(poll, delay);
}

async function poll() {
  try {
    const headers = stateTag ? { "If-None-Match": stateTag } : {};
    const answer = await fetch(`${root.dataset.state}?v=${version}`, { headers, cache: "no-store" });
    if (answer.status === 404) return gone();
    showOffline(false);
    stateTag = answer.headers.get("ETag") ?? stateTag;
    if (answer.status === 200) hear({ type: "page", document: await answer.json() });
    const map = root.querySelector("[data-dot]");
    if (map?.dataset.vanVisible === "1") tell("doorstep:dot", await (await fetch(map.dataset.dot)).json());
  } catch {
    showOffline(true);
  }
  schedulePoll(document.hidden ? POLL_AWAY_MS : POLL_LOOKING_MS);
}

function showOffline(isOffline) {
  const notice = root.querySelector("[data-offline]");
  if (notice) notice.hidden = !isOffline;
}

document.addEventListener("doorstep:refresh", () => refresh());
document.addEventListener("visibilitychange", () => document.hidden || schedulePoll(0));
addEventListener("offline", () => showOffline(true));
addEventListener("online", () => schedulePoll(0));
// Back from the browser's cache the page may be old.
addEventListener("pageshow", (event) => event.persisted && refresh());
connect();

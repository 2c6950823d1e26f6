// Keeps the driver's page fresh, shows that a photo was taken, and sends the van's position while it is shared.
import { swapParts } from "./parts.js";
import { sharePosition } from "./driver-position.js";

const round = document.querySelector("[data-round]");
const EVERY_MS = 10_000;

/** True while something typed, chosen or photographed would be lost. */
function isBusy() {
  const form = document.getElementById("finish");
  const trouble = document.getElementById("trouble");
  const typed = form && [...new FormData(form).entries()].some(([name, value]) => isAnswer(name, value));
  return Boolean(typed || trouble?.open || document.querySelector(".doorcode"));
}

function isAnswer(name, value) {
  if (name === "photo") return value.size > 0;
  return name === "received_by" && value !== "";
}

async function look() {
  try {
    if (!document.hidden && !isBusy()) await refreshIfChanged();
    offline(false);
  } catch {
    offline(true);
  }
  setTimeout(look, EVERY_MS);
}

async function refreshIfChanged() {
  const answer = await fetch(round.dataset.route, { cache: "no-store" });
  if (answer.status === 401) location.reload();
  if (!answer.ok) return;
  const route = await answer.json();
  if ((route.mark ?? "") === round.querySelector('[data-part="bar"]').dataset.mark) return;
  const page = await fetch(location.pathname, { cache: "no-store" });
  if (page.ok && !isBusy()) swapParts(round, await page.text());
}

function offline(isOffline) {
  round.querySelector("[data-offline]").hidden = !isOffline;
}

round.addEventListener("change", (event) => {
  if (event.target.name !== "photo") return;
  const label = event.target.closest("label");
  label.classList.toggle("photo--taken", event.target.files.length > 0);
  const name = event.target.files[0]?.name;
  if (name) label.querySelector("[data-photo-words]").textContent = name;
});

// A second tap while the first is on its way would only be refused; without script it is harmless as well.
round.addEventListener("submit", (event) => {
  if (round.dataset.sending) event.preventDefault();
  round.dataset.sending = "1";
});
window.addEventListener("pageshow", () => delete round.dataset.sending);

sharePosition(round);
setTimeout(look, EVERY_MS);

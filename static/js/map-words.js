// What the map shows, in words: how far the van still drives, and how old its position is. They need no map.

const figure = document.querySelector(".map");
const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
const AGE_EVERY_MS = 30_000;

let measuredAt = 0;
let at = "";
let staleTimer = 0;
let ageTimer = 0;

const find = (selector) => figure.querySelector(selector);

document.addEventListener("doorstep:dot", ({ detail }) => tell(detail));
document.addEventListener("doorstep:page", () => tellDistance());

let metres = null;

function tell(dot) {
  clearTimeout(staleTimer);
  clearInterval(ageTimer);
  metres = dot.distance_metres ?? null;
  tellDistance();
  if (!dot.visible) {
    at = "";
    find("[data-map-age]").textContent = "";
    return showSeen("");
  }
  if (dot.at !== at) {
    at = dot.at;
    measuredAt = Date.now();
    showSeen("");
  }
  tellAge();
  ageTimer = setInterval(tellAge, AGE_EVERY_MS);
  staleTimer = setTimeout(goStale, dot.stale_after * 1000);
}

/** The page's own words know the stops; the dot knows the way, and newer. */
function tellDistance() {
  const chip = find('[data-words="stops"]');
  if (metres === null || !figure.dataset.stops) return;
  const near = metres < 1000;
  const words = near ? figure.dataset.metres.replace("%(metres)s", number.format(metres)) : figure.dataset.km.replace("%(km)s", number.format(metres / 1000));
  chip.textContent = `${figure.dataset.stops} · ${words}`;
  chip.hidden = false;
  find("[data-map-distance]").textContent = words.charAt(0).toUpperCase() + words.slice(1);
}

function age() {
  const minutes = Math.round((Date.now() - measuredAt) / 60_000);
  return minutes < 1 ? figure.dataset.seenNow : figure.dataset.seenMinutes.replace("%(n)s", number.format(minutes));
}

function tellAge() {
  find("[data-map-age]").textContent = age();
  if (!find("[data-map-seen]").hidden) showSeen(age());
}

function goStale() {
  document.dispatchEvent(new CustomEvent("doorstep:stale"));
  showSeen(age());
}

function showSeen(words) {
  const chip = find("[data-map-seen]");
  chip.hidden = !words;
  chip.textContent = words;
}

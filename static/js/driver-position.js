// Measures where the van is and sends it in small batches. Only while the driver has switched it on, and under way.

const KEY = "doorstep-share-position";
const EVERY_MS = 5_000;
const MOST = 500;

/** Wires the switch of the page; positions go to data-positions. */
export function sharePosition(round) {
  const box = round.querySelector("[data-sharing]");
  if (!box || !("geolocation" in navigator)) return;
  box.hidden = false;
  const sender = new Sender(round.dataset.positions);
  const show = (isOn) => {
    box.querySelector("[data-words-on]").hidden = !isOn;
    box.querySelector("[data-words-off]").hidden = isOn;
  };
  const set = (isOn) => {
    localStorage.setItem(KEY, isOn ? "1" : "");
    if (isOn) sender.start(() => set(false));
    else sender.stop();
    show(isOn);
  };
  box.querySelector("[data-share]").addEventListener("click", () => set(!sender.isOn));
  set(localStorage.getItem(KEY) === "1");
}

let newest = null;

/** Where the phone was within the last minute, as fields of a form; nothing while it is not measured. */
export function lastFix() {
  const isFresh = newest && Date.now() - newest.timestamp < 60_000;
  return isFresh ? { lat: newest.coords.latitude, lon: newest.coords.longitude } : {};
}

class Sender {
  constructor(address) {
    this.address = address;
    this.waiting = [];
    this.watch = null;
    this.timer = null;
  }

  get isOn() {
    return this.watch !== null;
  }

  start(onRefused) {
    if (this.isOn) return;
    const refused = (error) => error.code === error.PERMISSION_DENIED && onRefused();
    this.watch = navigator.geolocation.watchPosition((fix) => this.keep(fix), refused, {
      enableHighAccuracy: true,
      maximumAge: 2_000,
    });
    this.timer = setInterval(() => this.send(), EVERY_MS);
  }

  stop() {
    if (!this.isOn) return;
    navigator.geolocation.clearWatch(this.watch);
    clearInterval(this.timer);
    this.watch = null;
    this.waiting = [];
  }

  keep(fix) {
    newest = fix;
    const { coords, timestamp } = fix;
    const { latitude: lat, longitude: lon, heading, speed } = coords;
    this.waiting.push({ lat, lon, heading, speed, at: new Date(timestamp).toISOString() });
    this.waiting = this.waiting.slice(-MOST);
  }

  async send() {
    if (this.waiting.length === 0) return;
    const batch = this.waiting;
    this.waiting = [];
    try {
      const answer = await fetch(this.address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        body: JSON.stringify({ positions: batch }),
      });
      if (answer.status >= 500) throw new Error(`${answer.status}`);
    } catch {
      // No signal: what was measured is sent with the next batch.
      this.waiting = [...batch, ...this.waiting].slice(-MOST);
    }
  }
}

function csrfToken() {
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

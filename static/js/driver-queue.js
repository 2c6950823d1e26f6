// Taps become events: kept first, then sent in their order, with their times, until the server has answered each.
import { dropTap, keepTap, waiting } from "./driver-store.js";

const MOST_EVENTS = 40;
const MOST_BYTES = 8_000_000;
const PHOTO_SIDE = 1600;
const PHOTO_QUALITY = 0.82;
// What is kept of photos altogether; beyond it the phone says so instead of losing something.
export const MOST_KEPT_BYTES = 60_000_000;

let sending = null;

/** Keeps a tap; rejects with RangeError when the phone is full of photos. */
export async function tap(kind, fields, files = []) {
  const small = await Promise.all(files.map(async ({ name, blob }) => ({ name, blob: await smaller(name, blob) })));
  const bytes = (list) => list.reduce((sum, { blob }) => sum + blob.size, 0);
  const already = (await waiting()).reduce((sum, one) => sum + bytes(one.files), 0);
  if (already + bytes(small) > MOST_KEPT_BYTES) throw new RangeError("full");
  await keepTap({ id: newId(), kind, at: new Date().toISOString(), fields, files: small });
}

/** Sends what waits; the server's answers, or null without signal. One call at a time. */
export function flush(address, csrf) {
  sending ??= sendAll(address, csrf).finally(() => (sending = null));
  return sending;
}

async function sendAll(address, csrf) {
  const answers = [];
  for (;;) {
    const all = await waiting();
    if (all.length === 0) return { answers };
    const batch = firstPart(all);
    const answer = await post(address, csrf, batch, batch.length < all.length);
    if (answer === null) return { answers, offline: true };
    if (answer.status === 401) return { answers, locked: true };
    if (answer.status === 400 || answer.status === 413) {
      // Nobody can read it, so sending it again would not help; the others still go.
      await dropTap(batch[0].seq);
      answers.push({ id: batch[0].id, ok: false, kind: batch[0].kind, message: (await problem(answer)) ?? "" });
      continue;
    }
    if (!answer.ok) return { answers, offline: answer.status >= 500 || answer.status === 429, refused: answer.status };
    answers.push(...(await answer.json()).answers);
    for (const { seq } of batch) await dropTap(seq);
  }
}

function firstPart(all) {
  const batch = [];
  let bytes = 0;
  for (const one of all.slice(0, MOST_EVENTS)) {
    bytes += one.files.reduce((sum, { blob }) => sum + blob.size, 0);
    if (batch.length > 0 && bytes > MOST_BYTES) break;
    batch.push(one);
  }
  return batch;
}

async function post(address, csrf, batch, more) {
  const body = new FormData();
  const events = batch.map(({ id, kind, at, fields }) => ({ ...fields, id, kind, at }));
  body.set("events", JSON.stringify(events));
  body.set("sent_at", new Date().toISOString());
  if (more) body.set("more", "1");
  for (const { id, files } of batch) for (const { name, blob } of files) body.append(`${id}.${name}`, blob, `${name}.jpg`);
  try {
    return await fetch(address, { method: "POST", headers: { "X-CSRFToken": csrf }, body, cache: "no-store" });
  } catch {
    return null;
  }
}

async function problem(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return null;
  }
}

/** A photo small enough to wait for signal; what the browser cannot draw is sent as it is. */
async function smaller(name, blob) {
  if (name !== "photo") return blob;
  try {
    const picture = await createImageBitmap(blob, { imageOrientation: "from-image" });
    const scale = Math.min(1, PHOTO_SIDE / Math.max(picture.width, picture.height));
    if (scale === 1 && blob.size < 600_000) return blob;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob((made) => done(made ?? blob), "image/jpeg", PHOTO_QUALITY));
  } catch {
    return blob;
  }
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

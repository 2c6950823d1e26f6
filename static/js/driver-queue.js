// Taps become events: kept first, then sent in their order, with their times, until the server has answered each.
import { changeTap, dropTap, keepTap, needed, waiting } from "./driver-store.js";

const MOST_EVENTS = 40;
const MOST_BYTES = 8_000_000;
const MOST_PICTURES = 40;
// What must not be lost when the server says no: it may hold photos nobody can take again.
const PROVES = new Set(["complete", "fail"]);
const PHOTO_SIDE = 1600;
const PHOTO_QUALITY = 0.82;
// What is kept of photos altogether; beyond it the phone says so instead of losing something.
export const MOST_KEPT_BYTES = 60_000_000;

let sending = null;

/** Keeps a tap; rejects with RangeError when the phone is full of photos. */
export async function tap(kind, fields, files = []) {
  const small = await Promise.all(files.map(async ({ name, blob }) => ({ name, blob: await smaller(name, blob) })));
  const bytes = (list) => list.reduce((sum, { blob }) => sum + blob.size, 0);
  const before = PROVES.has(kind) ? (await needed()).filter((one) => one.fields.visit === fields.visit) : [];
  // A corrected stop keeps the photos it was refused with, unless there are new ones.
  const has = new Set(small.map(({ name }) => name));
  const kept = before.filter((one) => one.kind === kind).slice(-1).flatMap((one) => one.files);
  small.push(...kept.filter(({ name }) => !has.has(name)));
  const already = [...(await waiting()), ...(await needed())].reduce((sum, one) => sum + bytes(one.files), 0);
  if (already + bytes(small) > MOST_KEPT_BYTES) throw new RangeError("full");
  await keepTap({ id: newId(), kind, at: new Date().toISOString(), fields, files: small });
  for (const { seq } of before) await dropTap(seq);
}

/** Sends a refused tap once more, as it is. */
export async function tapAgain(seq) {
  const one = (await needed()).find((kept) => kept.seq === seq);
  if (one) await changeTap({ ...one, id: newId(), refused: undefined });
}

/** Sends what waits; the server's answers, or null without signal. One call at a time. */
export function flush(address, csrf) {
  sending ??= sendAll(address, csrf).finally(() => (sending = null));
  return sending;
}

async function sendAll(address, csrf) {
  const answers = [];
  let isSingle = false;
  for (;;) {
    const all = await waiting();
    if (all.length === 0) return { answers };
    const batch = isSingle ? all.slice(0, 1) : firstPart(all);
    const answer = await post(address, csrf, batch, batch.length < all.length);
    if (answer === null) return { answers, offline: true };
    if (answer.status === 401) return { answers, locked: true };
    if (answer.status === 400 || answer.status === 413) {
      // Whose fault it is shows when each goes alone; sending that one again would not help, the others still go.
      if (batch.length > 1) {
        isSingle = true;
        continue;
      }
      const no = { id: batch[0].id, ok: false, kind: batch[0].kind, message: (await problem(answer)) ?? "" };
      await settle(batch[0], no);
      answers.push(no);
      isSingle = false;
      continue;
    }
    if (!answer.ok) return { answers, offline: answer.status >= 500 || answer.status === 429, refused: answer.status };
    const told = (await answer.json()).answers;
    answers.push(...told);
    for (const one of batch) await settle(one, told.find(({ id }) => id === one.id));
    isSingle = false;
  }
}

/** Lets go of an answered tap, but not of a refused proof: the driver corrects or discards it. */
async function settle(one, answer) {
  if (answer && !answer.ok && PROVES.has(one.kind)) {
    await changeTap({ ...one, refused: answer.message || " " });
  } else await dropTap(one.seq);
}

function firstPart(all) {
  const batch = [];
  let bytes = 0;
  let pictures = 0;
  for (const one of all.slice(0, MOST_EVENTS)) {
    bytes += one.files.reduce((sum, { blob }) => sum + blob.size, 0);
    pictures += one.files.length;
    if (batch.length > 0 && (bytes > MOST_BYTES || pictures > MOST_PICTURES)) break;
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

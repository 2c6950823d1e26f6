// The stops this phone can serve without signal: the next few, as the server drew them, until the shift is over.
import { forget, keep, kept, waiting } from "./driver-store.js";

const NAME = "hold";

/** Fetches what to hold; true when the shift is over and everything has been forgotten. */
export async function refreshHold(address, csrf) {
  const answer = await fetch(address, { method: "POST", headers: { "X-CSRFToken": csrf }, cache: "no-store" });
  if (!answer.ok) return false;
  const found = await answer.json();
  if (found.over) {
    await forget(NAME);
    return true;
  }
  await keep(NAME, { ...found, until: Date.now() + found.lasts_seconds * 1000 });
  return false;
}

/** Forgets the stops and codes when the shift is over, whatever the page is doing; true when it did. */
export async function forgetWhenOver() {
  const hold = await kept(NAME);
  if (!hold || Date.now() <= hold.until) return false;
  await forget(NAME);
  return true;
}

/** What the phone knows by itself: the next stop after the taps that wait. */
export async function nextHeld() {
  const hold = await kept(NAME);
  if (!hold) return { known: false };
  if (Date.now() > hold.until) {
    await forget(NAME);
    return { known: false, over: true };
  }
  const taps = await waiting();
  const ended = new Set(taps.filter(({ kind }) => kind === "complete" || kind === "fail").map(visitOf));
  const arrived = new Set(taps.filter(({ kind }) => kind === "arrive").map(visitOf));
  const stop = hold.stops.find(({ visit }) => !ended.has(visit));
  const done = hold.done + hold.stops.filter(({ visit }) => ended.has(visit)).length;
  const departed = hold.departed || taps.some(({ kind }) => kind === "depart");
  if (!stop) return { known: true, departed, done, total: hold.total };
  const state = arrived.has(stop.visit) ? "arrived" : stop.state;
  // A door code was fetched, and written down as seen, for the stop that was next then; for no other.
  const codes = stop === hold.stops[0] ? hold.codes : {};
  return { known: true, departed, done, total: hold.total, stop, html: stop.html[state], codes, taps };
}

const visitOf = ({ fields }) => Number(fields.visit);

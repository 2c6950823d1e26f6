// What this phone keeps for a while: taps that wait for signal, and the next stops. One small IndexedDB database.

const NAME = "doorstep-driver";
const QUEUE = "queue";
const KEPT = "kept";

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(QUEUE, { keyPath: "seq", autoIncrement: true });
      request.result.createObjectStore(KEPT);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run(store, mode, ask) {
  const open = await database();
  return new Promise((resolve, reject) => {
    const done = open.transaction(store, mode);
    const request = ask(done.objectStore(store));
    done.oncomplete = () => resolve(request?.result);
    done.onerror = () => reject(done.error);
    done.onabort = () => reject(done.error);
  });
}

/** Taps in the order they were made: {seq, id, kind, at, fields, files: [{name, blob}]}. */
export const waiting = async () => (await all()).filter(({ refused }) => !refused);
/** Ends of stops the server did not accept, with their photos and its words: they need the driver. */
export const needed = async () => (await all()).filter(({ refused }) => refused);
const all = () => run(QUEUE, "readonly", (store) => store.getAll());
export const changeTap = (tap) => run(QUEUE, "readwrite", (store) => store.put(tap));
export const keepTap = (tap) => run(QUEUE, "readwrite", (store) => store.add(tap));
export const dropTap = (seq) => run(QUEUE, "readwrite", (store) => store.delete(seq));

export const kept = (name) => run(KEPT, "readonly", (store) => store.get(name));
export const keep = (name, value) => run(KEPT, "readwrite", (store) => store.put(value, name));
export const forget = (name) => run(KEPT, "readwrite", (store) => store.delete(name));

const LOCKED = "locked-since";
// A phone may be locked by mistake: what was proved and not yet sent waits so long for a new sign-in.
const GRACE_MS = 12 * 3600 * 1000;

/** A phone that is not signed in knows no stops and no codes from that moment, and nothing at all after a while. */
export async function lockedOut() {
  const since = await kept(LOCKED);
  const isOver = since !== undefined && Date.now() - since > GRACE_MS;
  if (isOver || (await all()).length === 0) return wipe();
  await forget("hold");
  if (since === undefined) await keep(LOCKED, Date.now());
  await dropCaches();
}

export const signedIn = () => forget(LOCKED);

async function wipe() {
  if (opened) (await opened).close();
  opened = null;
  await new Promise((done) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = request.onerror = request.onblocked = done;
  });
  await dropCaches();
}

async function dropCaches() {
  if (!("caches" in window)) return;
  for (const name of await caches.keys()) {
    if (name.startsWith("doorstep-driver-")) await caches.delete(name);
  }
}

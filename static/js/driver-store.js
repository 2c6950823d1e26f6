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
export const waiting = () => run(QUEUE, "readonly", (store) => store.getAll());
export const keepTap = (tap) => run(QUEUE, "readwrite", (store) => store.add(tap));
export const dropTap = (seq) => run(QUEUE, "readwrite", (store) => store.delete(seq));

export const kept = (name) => run(KEPT, "readonly", (store) => store.get(name));
export const keep = (name, value) => run(KEPT, "readwrite", (store) => store.put(value, name));
export const forget = (name) => run(KEPT, "readwrite", (store) => store.delete(name));

/** A phone that is no longer this driver's knows nothing any more. */
export async function wipe() {
  if (opened) (await opened).close();
  opened = null;
  await new Promise((done) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = request.onerror = request.onblocked = done;
  });
  if (!("caches" in window)) return;
  for (const name of await caches.keys()) {
    if (name.startsWith("doorstep-driver-")) await caches.delete(name);
  }
}

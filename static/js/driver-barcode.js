// Scanning at the door: the camera where the browser can read barcodes, typing everywhere; a wrong parcel is loud.

const EVERY_MS = 250;

/** Wires the scan fields of `root`. */
export function prepareScans(root) {
  for (const box of root.querySelectorAll("[data-scanning]")) {
    if (box.dataset.ready) continue;
    box.dataset.ready = "1";
    const field = box.querySelector("textarea");
    field.addEventListener("input", () => check(box));
    const button = box.querySelector("[data-camera]");
    if (!("BarcodeDetector" in window) || !navigator.mediaDevices) continue;
    button.hidden = false;
    button.addEventListener("click", () => watch(box, field));
  }
}

function check(box) {
  const known = new Set(box.dataset.barcodes.split(" ").filter(Boolean));
  const lines = box.querySelector("textarea").value.split(/[\s,]+/).filter(Boolean);
  // Somebody may still be typing: only what is as long as a barcode of ours is judged.
  const shortest = Math.min(...[...known].map((code) => code.length));
  const wrong = lines.find((line) => line.length >= shortest && !known.has(line));
  const alarm = box.querySelector("[data-wrong-parcel]");
  if (wrong && alarm.hidden) navigator.vibrate?.([200, 100, 200]);
  alarm.hidden = !wrong;
  if (wrong) alarm.querySelector("[data-wrong-tail]").textContent = `…${wrong.slice(-4)}`;
}

async function watch(box, field) {
  const eye = box.querySelector("[data-eye]");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).catch(() => null);
  if (!stream) return;
  eye.srcObject = stream;
  eye.hidden = false;
  await eye.play();
  const detector = new window.BarcodeDetector();
  const known = box.dataset.barcodes.split(" ").filter(Boolean);
  const seen = new Set(field.value.split(/[\s,]+/).filter(Boolean));
  while (eye.isConnected && !eye.hidden) {
    for (const { rawValue } of await detector.detect(eye).catch(() => [])) {
      if (seen.has(rawValue)) continue;
      seen.add(rawValue);
      navigator.vibrate?.(60);
      field.value = [...seen].join("\n");
      check(box);
    }
    if (known.every((code) => seen.has(code))) break;
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
  eye.hidden = true;
  for (const track of stream.getTracks()) track.stop();
}

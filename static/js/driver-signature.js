// A sheet to sign on with a finger; whoever cannot draws nothing and ticks the box below it.

/** Makes the sheets of `root` drawable. */
export function prepareSheets(root) {
  for (const box of root.querySelectorAll("[data-signing]")) {
    const sheet = box.querySelector("canvas");
    if (box.dataset.ready || !sheet.getContext) continue;
    box.dataset.ready = "1";
    box.hidden = false;
    draw(sheet);
    box.querySelector("[data-wipe]").addEventListener("click", () => {
      sheet.getContext("2d").clearRect(0, 0, sheet.width, sheet.height);
      delete sheet.dataset.signed;
    });
  }
}

/** The drawn signature of a form as a picture, or null. */
export function signatureOf(form) {
  const sheet = form.querySelector("canvas[data-signed]");
  return sheet ? new Promise((done) => sheet.toBlob(done, "image/png")) : null;
}

function draw(sheet) {
  const pen = sheet.getContext("2d");
  pen.lineWidth = 5;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "#000";
  const at = ({ clientX, clientY }) => {
    const { left, top, width, height } = sheet.getBoundingClientRect();
    return [((clientX - left) * sheet.width) / width, ((clientY - top) * sheet.height) / height];
  };
  sheet.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    sheet.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
  });
  sheet.addEventListener("pointermove", (event) => {
    if (!sheet.hasPointerCapture(event.pointerId)) return;
    pen.lineTo(...at(event));
    pen.stroke();
    sheet.dataset.signed = "1";
  });
}

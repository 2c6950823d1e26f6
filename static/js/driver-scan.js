// A hand scanner types and presses Enter: whatever was tapped before, the next scan lands in the field.

const field = document.querySelector(".scan [name=barcode]");

if (field) {
  field.focus();
  document.addEventListener("keydown", (event) => {
    const isLetter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isLetter && document.activeElement !== field) field.focus();
  });
  field.form.addEventListener("submit", () => {
    field.readOnly = true;
  });
}

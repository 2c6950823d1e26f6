// Sends or copies a link of the share page. Without this script the link stands in a field, to be copied by hand.

const canSend = typeof navigator.share === "function";
const canCopy = Boolean(navigator.clipboard?.writeText);

function offer(root) {
  for (const share of root.querySelectorAll("[data-share]")) {
    share.querySelector("[data-share-send]").hidden = !canSend;
    share.querySelector("[data-share-copy]").hidden = !canCopy;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-share-send], [data-share-copy]");
  if (!button) return;
  const share = button.closest("[data-share]");
  const field = share.querySelector("[data-share-url]");
  try {
    if (button.hasAttribute("data-share-send")) {
      await navigator.share({ title: share.dataset.title, url: field.value });
    } else {
      await navigator.clipboard.writeText(field.value);
      button.querySelector("[data-share-words]").textContent = button.dataset.done;
    }
  } catch {
    // Refused or closed by the reader: the field is still there.
    field.select();
  }
});

// The sheet brings the share page in later.
new MutationObserver(() => offer(document)).observe(document.body, { childList: true, subtree: true });
offer(document);

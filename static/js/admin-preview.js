// The dispatcher's page while the planner looks: the bar moves, and the page is loaded anew when there is an answer.
const EVERY_MILLISECONDS = 1000;
const card = document.querySelector("[data-preview]");
const bar = card?.querySelector("progress");

async function look() {
  const answer = await fetch(card.dataset.preview, { headers: { accept: "application/json" } });
  const { state, percent } = await answer.json();
  if (state !== "asked") return location.reload();
  bar.value = percent;
  setTimeout(again, EVERY_MILLISECONDS);
}

/** A network that is away for a moment is asked again. */
function again() {
  look().catch(() => setTimeout(again, 5 * EVERY_MILLISECONDS));
}

if (bar) again();

// Maps in the admin: places and vans as marks on the same basemap as the shopper's page, in the admin's own scheme.
import { MAP_OPTIONS, mapStyle } from "./map-style.js";

const LIBRARY = new URL("../vendor/maplibre/", import.meta.url);
const TILES = "/tiles/{z}/{x}/{y}.pbf";
const scheme = () => (document.documentElement.classList.contains("dark") ? "dark" : "light");

/** A mark carries its words; one with a link opens it. */
function element(mark) {
  const made = document.createElement(mark.link ? "a" : "span");
  made.className = `mark mark--${mark.kind}`;
  if (mark.link) made.href = mark.link;
  made.textContent = mark.kind === "van" ? mark.label : "";
  made.title = mark.label;
  return made;
}

async function draw(figure) {
  const { marks } = JSON.parse(figure.querySelector("script").textContent);
  if (!marks.length) return (figure.hidden = true);
  const library = await import(new URL("maplibre-gl.mjs", LIBRARY));
  library.setWorkerUrl(new URL("maplibre-gl-worker.mjs", LIBRARY).href);
  const bounds = new library.LngLatBounds();
  for (const mark of marks) bounds.extend([mark.lon, mark.lat]);
  const map = new library.Map({
    ...MAP_OPTIONS,
    container: figure.querySelector("[data-map]"),
    style: mapStyle(TILES, scheme()),
    bounds,
    fitBoundsOptions: { padding: 48, maxZoom: 15 },
    scrollZoom: false,
  });
  map.addControl(new library.NavigationControl({ showCompass: false }), "top-right");
  for (const mark of marks) new library.Marker({ element: element(mark) }).setLngLat([mark.lon, mark.lat]).addTo(map);
  new MutationObserver(() => map.setStyle(mapStyle(TILES, scheme()))).observe(document.documentElement, { attributeFilter: ["class"] });
}

for (const figure of document.querySelectorAll("[data-map-figure]")) {
  draw(figure).catch((error) => {
    figure.hidden = true;
    console.warn("No map here:", error);
  });
}

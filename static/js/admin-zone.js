// A zone's outline on the map: corners are buttons that can be dragged, moved with arrow keys and deleted.
// The field with the GeoJSON is what is sent; it follows the map, and the map follows it.
import { MAP_OPTIONS, mapStyle } from "./map-style.js";

const LIBRARY = new URL("../vendor/maplibre/", import.meta.url);
const TILES = "/tiles/{z}/{x}/{y}.pbf";
const STEP_PIXELS = 8;
const KEYS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const scheme = () => (document.documentElement.classList.contains("dark") ? "dark" : "light");
const round = (degrees) => Math.round(degrees * 1e5) / 1e5;

const card = document.querySelector("[data-zone-draw]");
const field = document.querySelector("[data-zone-shape]");
const said = card.querySelector("[data-zone-said]");
let corners = cornersOf(field.value);
let markers = [];
let library, map;

/** The outer ring of what the field holds, without its last corner, which is the first again. */
function cornersOf(text) {
  try {
    const shape = JSON.parse(text);
    return (shape.geometry ?? shape).coordinates[0].slice(0, -1).map(([lon, lat]) => [lon, lat]);
  } catch {
    return [];
  }
}

/** Holes that somebody typed in are kept. */
function holesOf(text) {
  try {
    const shape = JSON.parse(text);
    return (shape.geometry ?? shape).coordinates.slice(1);
  } catch {
    return [];
  }
}

const ring = () => (corners.length ? [...corners, corners[0]] : []);
const collection = (geometry) => ({ type: "Feature", properties: {}, geometry });

function draw() {
  const closed = corners.length > 2;
  map.getSource("zone")?.setData(collection({ type: "Polygon", coordinates: closed ? [ring(), ...holesOf(field.value)] : [] }));
  map.getSource("zone-line")?.setData(collection({ type: "LineString", coordinates: closed ? ring() : corners }));
  said.textContent = `${corners.length} ${said.dataset.wordsCorners}`;
}

function changed() {
  if (corners.length > 2) field.value = JSON.stringify({ type: "Polygon", coordinates: [ring(), ...holesOf(field.value)] });
  else if (!corners.length) field.value = "";
  draw();
}

/** Puts the markers on the map anew; `focused` is the corner that has the keyboard. */
function place(focused) {
  for (const marker of markers) marker.remove();
  markers = corners.map(marked);
  if (focused !== undefined && markers.length) markers[Math.min(focused, markers.length - 1)].getElement().focus();
  draw();
}

function marked(corner, number) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "zone-corner";
  element.setAttribute("aria-label", `${said.dataset.wordsCorner} ${number + 1}`);
  element.setAttribute("aria-describedby", "zone-draw-help");
  const marker = new library.Marker({ element, draggable: true }).setLngLat(corner).addTo(map);
  const moved = () => {
    const { lng, lat } = marker.getLngLat();
    corners[number] = [round(lng), round(lat)];
    changed();
  };
  marker.on("drag", moved);
  element.addEventListener("click", (event) => event.stopPropagation());
  element.addEventListener("keydown", (event) => {
    if (event.key === "Delete" || event.key === "Backspace") {
      corners.splice(number, 1);
      changed();
      place(number);
    } else if (KEYS[event.key]) {
      const { x, y } = map.project(marker.getLngLat());
      const [right, down] = KEYS[event.key];
      marker.setLngLat(map.unproject([x + right * STEP_PIXELS, y + down * STEP_PIXELS]));
      moved();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return marker;
}

/** A new corner goes between the two that it lies nearest to, so that a shape can be refined anywhere. */
function add(lngLat) {
  const corner = [round(lngLat.lng), round(lngLat.lat)];
  let at = corners.length;
  if (corners.length > 2) {
    const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
    const added = corners.map((one, i) => far(one, corner) + far(corner, corners[(i + 1) % corners.length]) - far(one, corners[(i + 1) % corners.length]));
    at = added.indexOf(Math.min(...added)) + 1;
  }
  corners.splice(at, 0, corner);
  changed();
  place(at);
}

function addLayers(others) {
  const accent = getComputedStyle(card).getPropertyValue("--zone-colour").trim();
  const quiet = getComputedStyle(card).getPropertyValue("--zone-other").trim();
  const shapes = others.map(({ shape, name }) => ({ type: "Feature", properties: { name }, geometry: shape.geometry ?? shape }));
  map.addSource("others", { type: "geojson", data: { type: "FeatureCollection", features: shapes } });
  map.addSource("zone", { type: "geojson", data: collection({ type: "Polygon", coordinates: [] }) });
  map.addSource("zone-line", { type: "geojson", data: collection({ type: "LineString", coordinates: [] }) });
  map.addLayer({ id: "others", type: "line", source: "others", paint: { "line-color": quiet, "line-width": 1.5, "line-dasharray": [2, 2] } });
  map.addLayer({ id: "zone", type: "fill", source: "zone", paint: { "fill-color": accent, "fill-opacity": 0.18 } });
  map.addLayer({ id: "zone-line", type: "line", source: "zone-line", paint: { "line-color": accent, "line-width": 2 } });
  draw();
}

async function open() {
  const { marks, zones } = JSON.parse(card.querySelector("script[type='application/json']").textContent);
  library = await import(new URL("maplibre-gl.mjs", LIBRARY));
  library.setWorkerUrl(new URL("maplibre-gl-worker.mjs", LIBRARY).href);
  card.hidden = false;
  const bounds = new library.LngLatBounds();
  for (const corner of corners) bounds.extend(corner);
  if (!corners.length) for (const mark of marks) bounds.extend([mark.lon, mark.lat]);
  map = new library.Map({
    ...MAP_OPTIONS,
    container: card.querySelector("[data-zone-map]"),
    style: mapStyle(TILES, scheme()),
    ...(bounds.isEmpty() ? { center: [0, 20], zoom: 1 } : { bounds, fitBoundsOptions: { padding: 60, maxZoom: 14 } }),
  });
  map.addControl(new library.NavigationControl({ showCompass: false }), "top-right");
  for (const mark of marks) {
    const element = document.createElement("span");
    element.className = `mark mark--${mark.kind}`;
    element.title = mark.label;
    new library.Marker({ element }).setLngLat([mark.lon, mark.lat]).addTo(map);
  }
  map.on("click", (event) => add(event.lngLat));
  map.once("style.load", () => addLayers(zones));
  new MutationObserver(() => {
    map.setStyle(mapStyle(TILES, scheme()), { diff: false });
    map.once("style.load", () => addLayers(zones));
  }).observe(document.documentElement, { attributeFilter: ["class"] });
  place();
}

card.querySelector("[data-zone-add]").addEventListener("click", () => add(map.getCenter()));
card.querySelector("[data-zone-undo]").addEventListener("click", () => {
  corners.pop();
  changed();
  place();
});
card.querySelector("[data-zone-clear]").addEventListener("click", () => {
  corners = [];
  changed();
  place();
});
field.addEventListener("change", () => {
  corners = cornersOf(field.value);
  place();
});
open().catch((error) => {
  card.hidden = true;
  console.warn("No map here:", error);
});

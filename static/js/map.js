// The map: drawn only once it is in sight, after the words. Without WebGL its summary in words stands in its place.
import { MAP_OPTIONS, BELOW_LABELS, followScheme, mapStyle } from "./map-style.js";
import { Van } from "./van.js";

const figure = document.querySelector(".map");
const LIBRARY = new URL("../vendor/maplibre/", import.meta.url);
const wide = matchMedia("(min-width: 56rem)");

let library = null;
let map = null;
let home = null;
let vanMarker = null;
let van = null;
let lastDot = null;
let isTouched = false;
let shown = "";

const spot = () => [Number(figure.dataset.lon), Number(figure.dataset.lat)];

function loadStyles() {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL("maplibre-gl.css", LIBRARY);
  document.head.prepend(sheet);
}

async function start() {
  if (map || figure.hidden) return;
  loadStyles();
  try {
    library = await import(new URL("maplibre-gl.mjs", LIBRARY));
    library.setWorkerUrl(new URL("maplibre-gl-worker.mjs", LIBRARY).href);
    map = new library.Map({
      ...MAP_OPTIONS,
      container: figure.querySelector("[data-map]"),
      style: mapStyle(figure.dataset.tiles, followScheme((scheme) => map.setStyle(mapStyle(figure.dataset.tiles, scheme)))),
      center: spot(),
      zoom: figure.dataset.exact === "1" ? 15 : 13.4,
      cooperativeGestures: !wide.matches,
      locale: {
        "Map.Title": figure.querySelector("[data-map-summary]").textContent,
        "CooperativeGesturesHandler.MobileHelpText": figure.dataset.twoFingers,
      },
    });
  } catch (error) {
    figure.classList.add("has-no-map");
    console.warn("No map here:", error);
    return;
  }
  map.on("style.load", drawHome);
  map.on("style.load", () => drawRoad(lastDot?.remaining ?? []));
  map.on("dragstart", () => (isTouched = true));
  if (lastDot) showDot(lastDot);
}

function icon(name) {
  const template = document.getElementById(`pin-${name}`);
  return template.content.firstElementChild.cloneNode(true);
}

/** A pin where the place is known exactly, else only the area it lies in. */
function drawHome() {
  shown = figure.dataset.lat + figure.dataset.lon;
  home?.remove();
  home = null;
  for (const id of ["area-edge", "area"]) if (map.getLayer(id)) map.removeLayer(id);
  if (map.getSource("area")) map.removeSource("area");
  if (figure.dataset.exact === "1") {
    const name = figure.dataset.kind === "address" ? "home" : "point";
    home = new library.Marker({ element: icon(name) }).setLngLat(spot()).addTo(map);
    return;
  }
  const accent = getComputedStyle(figure).getPropertyValue("--accent").trim();
  const data = { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [area()] } };
  map.addSource("area", { type: "geojson", data });
  map.addLayer({ id: "area", type: "fill", source: "area", paint: { "fill-color": accent, "fill-opacity": 0.14 } }, BELOW_LABELS);
  map.addLayer({ id: "area-edge", type: "line", source: "area", paint: { "line-color": accent, "line-opacity": 0.5, "line-width": 1.5 } }, BELOW_LABELS);
}

/** A circle round the place's grid cell. */
function area() {
  const [lon, lat] = spot();
  const radius = Number(figure.dataset.radius) * 0.7;
  const shrink = Math.cos((lat * Math.PI) / 180);
  return Array.from({ length: 65 }, (_, i) => {
    const turn = (i / 32) * Math.PI;
    return [lon + ((radius / 111_320) * Math.cos(turn)) / shrink, lat + (radius / 111_320) * Math.sin(turn)];
  });
}

function showDot(dot) {
  const isNew = !van || dot.at !== lastDot.at;
  lastDot = dot;
  if (!map) return;
  drawRoad(dot.remaining ?? []);
  if (!dot.visible) {
    vanMarker?.remove();
    vanMarker = van = null;
    return;
  }
  if (!van) {
    vanMarker = new library.Marker({ element: icon(figure.dataset.van === "cargo_bike" ? "bike" : "van") }).setLngLat([dot.lon, dot.lat]).addTo(map);
    van = new Van(vanMarker);
    van.drive(dot.path.slice(-1), 0);
    frame(dot, 0);
  } else if (isNew) {
    van.drive(dot.path, dot.seconds);
    frame(dot, 600);
  }
  if (isNew) vanMarker.getElement().classList.remove("pin--stale");
}

/** The road still to be driven, where the shop shows it: points of [latitude, longitude]. */
function drawRoad(points) {
  if (!map.isStyleLoaded() && !map.getSource("road")) return;
  const data = { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: points.map(([lat, lon]) => [lon, lat]) } };
  if (map.getSource("road")) return map.getSource("road").setData(data);
  if (points.length < 2) return;
  const accent = getComputedStyle(figure).getPropertyValue("--accent").trim();
  map.addSource("road", { type: "geojson", data });
  map.addLayer({ id: "road", type: "line", source: "road", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": accent, "line-opacity": 0.85, "line-width": 5 } }, BELOW_LABELS);
}

/** Keeps van and door in the picture until the reader moves the map. */
function frame(dot, duration) {
  if (isTouched || (duration && map.getBounds().contains([dot.lon, dot.lat]))) return;
  const bounds = new library.LngLatBounds(spot(), spot()).extend([dot.lon, dot.lat]);
  if (figure.dataset.exact !== "1") area().forEach((point) => bounds.extend(point));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const edge = wide.matches ? 96 : 40;
  // Room above for the labels that lie on the map.
  const padding = { top: edge + 32, bottom: edge, left: edge, right: edge };
  map.fitBounds(bounds, { padding, maxZoom: 15.5, duration: calm ? 0 : duration });
}

document.addEventListener("doorstep:dot", ({ detail }) => showDot(detail));
document.addEventListener("doorstep:stale", () => vanMarker?.getElement().classList.add("pin--stale"));
document.addEventListener("doorstep:page", () => {
  if (!map) return start();
  if (figure.hidden || !map.isStyleLoaded() || shown === figure.dataset.lat + figure.dataset.lon) return;
  drawHome();
  isTouched = false;
  map.jumpTo({ center: spot() });
});
// The library is heavy and must not come before the words are painted; frames alone do not say so on a slow machine.
function whenPainted(then) {
  const idle = () => (window.requestIdleCallback ?? setTimeout)(then);
  if (!PerformanceObserver.supportedEntryTypes?.includes("paint")) return requestAnimationFrame(idle);
  new PerformanceObserver((list, observer) => {
    if (!list.getEntriesByName("first-contentful-paint").length) return;
    observer.disconnect();
    idle();
  }).observe({ type: "paint", buffered: true });
}
new IntersectionObserver((seen, observer) => {
  if (!seen.some((entry) => entry.isIntersecting)) return;
  observer.disconnect();
  whenPainted(start);
}).observe(figure);

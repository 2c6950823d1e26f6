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
  made.textContent = mark.text ?? (mark.kind === "van" ? mark.label : "");
  if (mark.track !== undefined) made.classList.add(`track-${mark.track}`);
  if (mark.late) made.classList.add("is-late");
  made.title = mark.label;
  return made;
}

/** What vans drive along: one line each, in its van's colour for the scheme, over a rim of the land's colour. */
function addTracks(map, tracks) {
  const dark = scheme() === "dark";
  tracks.forEach(({ colours, line, dashed }, number) => {
    const id = `track-${number}`;
    if (!map.getSource(id)) {
      map.addSource(id, { type: "geojson", data: { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: line } } });
    }
    const layout = { "line-cap": "round", "line-join": "round" };
    const paint = { "line-color": dark ? "#14171c" : "#ffffff", "line-width": 4, "line-opacity": 0.7 };
    const own = { "line-color": colours[dark ? 1 : 0], "line-width": 2.2, "line-opacity": 0.9 };
    if (dashed) return map.addLayer({ id, type: "line", source: id, paint: { ...own, "line-dasharray": [1.5, 1.5], "line-opacity": 0.8 } });
    map.addLayer({ id: `${id}-rim`, type: "line", source: id, layout, paint });
    map.addLayer({ id, type: "line", source: id, layout, paint: own });
  });
}

/** Zones that some vehicles may not enter, under the tracks. */
function addZones(map, zones, figure) {
  const colour = getComputedStyle(figure).getPropertyValue("--zone-colour").trim() || "#a8211a";
  const features = zones.map(({ name, shape }) => ({ type: "Feature", properties: { name }, geometry: shape.geometry ?? shape }));
  map.addSource("zones", { type: "geojson", data: { type: "FeatureCollection", features } });
  map.addLayer({ id: "zones", type: "fill", source: "zones", paint: { "fill-color": colour, "fill-opacity": 0.12 } });
  map.addLayer({ id: "zones-line", type: "line", source: "zones", paint: { "line-color": colour, "line-width": 1.5, "line-dasharray": [3, 2] } });
}

async function draw(figure) {
  const { marks, tracks: address } = JSON.parse(figure.querySelector("script").textContent);
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
  const { tracks = [], zones = [] } = address ? await (await fetch(address)).json() : {};
  const redraw = () => {
    if (zones.length) addZones(map, zones, figure);
    if (tracks.length) addTracks(map, tracks);
  };
  map.isStyleLoaded() ? redraw() : map.once("style.load", redraw);
  new MutationObserver(() => {
    map.setStyle(mapStyle(TILES, scheme()), { diff: false });
    map.once("style.load", redraw);
  }).observe(document.documentElement, { attributeFilter: ["class"] });
}

for (const figure of document.querySelectorAll("[data-map-figure]")) {
  draw(figure).catch((error) => {
    figure.hidden = true;
    console.warn("No map here:", error);
  });
}

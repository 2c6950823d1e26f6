// The basemap: one soft style in a light and a dark scheme over OpenMapTiles vector tiles.
// No glyphs and no sprites: without `glyphs` MapLibre draws every label with the reader's own fonts.

const ATTRIBUTION = '<a href="https://www.openstreetmap.org/copyright" target="_blank" rel="noopener">© OpenStreetMap contributors</a>';
const FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"];

const LIGHT = {
  land: "#f4f3ef", grass: "#e6eedb", wood: "#d5e4cb", field: "#eef0e2", town: "#eeece7", works: "#e8e6e8", play: "#dcebd0",
  water: "#b5d6ea", waterText: "#5588a8", building: "#e2dfd8", buildingEdge: "#d6d2ca",
  road: "#ffffff", edge: "#dedbd3", main: "#fff3d6", mainEdge: "#ecd9ab", fast: "#fbdca0", fastEdge: "#e3bd74",
  path: "#d3ccbd", rail: "#c6c2bd", border: "#a9a2b5",
  text: "#4a4f57", textSoft: "#858a92", halo: "#f9f8f5", roadText: "#7b7f86", number: "#a5a198",
};

const DARK = {
  land: "#171a20", grass: "#1c2524", wood: "#1b2a27", field: "#1b2022", town: "#1d2128", works: "#20232c", play: "#1f2c29",
  water: "#173b52", waterText: "#76abc9", building: "#2a303a", buildingEdge: "#353c47",
  road: "#414956", edge: "#14171c", main: "#565e6b", mainEdge: "#14171c", fast: "#6b6350", fastEdge: "#14171c",
  path: "#343a44", rail: "#424953", border: "#6c6688",
  text: "#d9dde3", textSoft: "#949ca7", halo: "#14171c", roadText: "#a4acb7", number: "#69717c",
};

const MINOR = ["minor", "busway"];
const SERVICE = ["service"];
const MAIN = ["primary", "secondary", "tertiary"];
const FAST = ["motorway", "trunk"];

const byZoom = (...stops) => ["interpolate", ["exponential", 1.5], ["zoom"], ...stops];
const among = (property, values) => ["in", ["get", property], ["literal", values]];
const name = ["coalesce", ["get", "name:latin"], ["get", "name_int"], ["get", "name"]];

const fill = (id, layer, color, filter, more = {}) => ({
  id, type: "fill", source: "base", "source-layer": layer, paint: { "fill-color": color, ...more }, ...(filter && { filter }),
});
const line = (id, layer, color, width, filter, more = {}) => ({
  id, type: "line", source: "base", "source-layer": layer, filter,
  layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": color, "line-width": width, ...more },
});
const label = (id, layer, field, size, color, halo, layout, more = {}) => ({
  id, type: "symbol", source: "base", "source-layer": layer, ...more,
  layout: { "text-field": field, "text-font": FONT, "text-size": size, ...layout },
  paint: { "text-color": color, "text-halo-color": halo, "text-halo-width": 1.4 },
});

function land(c) {
  return [
    { id: "land", type: "background", paint: { "background-color": c.land } },
    fill("field", "landcover", c.field, among("class", ["farmland"])),
    fill("grass", "landcover", c.grass, among("class", ["grass", "wetland", "sand"])),
    fill("wood", "landcover", c.wood, among("class", ["wood"])),
    fill("town", "landuse", c.town, among("class", ["residential", "retail", "commercial"])),
    fill("works", "landuse", c.works, among("class", ["industrial", "railway"])),
    fill("play", "landuse", c.play, among("class", ["pitch", "playground", "cemetery", "stadium"])),
    fill("water", "water", c.water),
    line("stream", "waterway", c.water, byZoom(9, 0.6, 13, 1.4, 17, 5), ["!=", ["get", "brunnel"], "tunnel"]),
    {
      ...fill("building", "building", c.building, null, {
        "fill-outline-color": c.buildingEdge,
        "fill-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0.35, 15, 1],
      }),
      minzoom: 13,
    },
  ];
}

function roads(c) {
  const minor = byZoom(12, 0.5, 14, 2.6, 16, 8, 18, 20);
  const main = byZoom(9, 0.8, 12, 2, 14, 4.5, 16, 11, 18, 26);
  const fast = byZoom(9, 1.4, 12, 3, 14, 6, 16, 13, 18, 30);
  const wider = (stops) => stops.map((part, i) => (i > 2 && i % 2 === 0 ? part + 1.4 : part));
  return [
    line("path", "transportation", c.path, byZoom(14, 0.7, 17, 2), among("class", ["path", "track"]), { "line-dasharray": [2, 1.6] }),
    line("rail", "transportation", c.rail, byZoom(10, 0.7, 15, 1.6), among("class", ["rail"])),
    line("service", "transportation", c.road, byZoom(13, 0.5, 15, 1.8, 18, 9), among("class", SERVICE)),
    { ...line("minor-edge", "transportation", c.edge, wider(minor), among("class", MINOR)), minzoom: 13 },
    line("main-edge", "transportation", c.mainEdge, wider(main), among("class", MAIN)),
    line("fast-edge", "transportation", c.fastEdge, wider(fast), among("class", FAST)),
    line("minor", "transportation", c.road, minor, among("class", MINOR)),
    line("main", "transportation", c.main, main, among("class", MAIN)),
    line("fast", "transportation", c.fast, fast, among("class", FAST)),
    line("border", "boundary", c.border, byZoom(9, 1, 14, 2), ["==", ["get", "admin_level"], 2], {
      "line-dasharray": [3, 2], "line-opacity": 0.6,
    }),
  ];
}

function labels(c) {
  const along = { "symbol-placement": "line", "text-letter-spacing": 0.02, "text-max-angle": 30, "symbol-spacing": 320 };
  const size = ["match", ["get", "class"], ["city", "town"], 17, "village", 14, 12];
  const wrap = { "text-max-width": 7, "text-padding": 6 };
  const townsFirst = { ...wrap, "symbol-sort-key": ["match", ["get", "class"], ["city", "town"], 0, 1] };
  return [
    label("number", "housenumber", ["get", "housenumber"], 10.5, c.number, c.halo, { "text-padding": 3 }, { minzoom: 17 }),
    label("street", "transportation_name", name, byZoom(13, 10.5, 17, 13), c.roadText, c.halo, along, { minzoom: 14 }),
    label("river", "waterway", name, 11.5, c.waterText, c.water, { ...along, "symbol-spacing": 500 }, { minzoom: 11 }),
    label("hamlet", "place", name, 11.5, c.textSoft, c.halo, wrap, {
      filter: among("class", ["hamlet", "suburb", "neighbourhood", "quarter"]), minzoom: 13,
    }),
    label("settlement", "place", name, size, c.text, c.halo, townsFirst, {
      filter: among("class", ["city", "town", "village"]), maxzoom: 16,
    }),
  ];
}

/**
 * The style object for `new maplibregl.Map({ style })` or `map.setStyle()`.
 * @param {string} tiles address of the tiles, with {z}, {x} and {y}
 * @param {"light"|"dark"} scheme
 * @param {number[]} [bounds] [west, south, east, north] of the tile set; spares requests for tiles that do not exist
 */
export function mapStyle(tiles, scheme = "light", bounds = undefined) {
  const colours = scheme === "dark" ? DARK : LIGHT;
  const address = new URL(tiles, document.baseURI).href.replaceAll("%7B", "{").replaceAll("%7D", "}");
  return {
    version: 8,
    sources: {
      base: { type: "vector", tiles: [address], minzoom: 9, maxzoom: 14, attribution: ATTRIBUTION, ...(bounds && { bounds }) },
    },
    layers: [...land(colours), ...roads(colours), ...labels(colours)],
  };
}

/** The layer to put routes before, so that names stay readable: `map.addLayer(layer, BELOW_LABELS)`. */
export const BELOW_LABELS = "number";

/** Options every map of the product shares; the attribution stays open, as the ODbL asks. */
export const MAP_OPTIONS = { attributionControl: { compact: false }, dragRotate: false, pitchWithRotate: false, minZoom: 8, maxZoom: 19 };

/** The scheme the reader's system asks for, and a call whenever it changes. */
export function followScheme(onChange) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => onChange(dark.matches ? "dark" : "light"));
  return dark.matches ? "dark" : "light";
}

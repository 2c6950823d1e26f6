// The van between two positions: along the road, at its pace, and never past the newest measured point.

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

const metres = (a, b) => {
  const shrink = Math.cos((a[0] * Math.PI) / 180);
  return Math.hypot(b[0] - a[0], (b[1] - a[1]) * shrink) * 111_320;
};

/** Moves a marker along paths of [latitude, longitude] points. */
export class Van {
  #marker;
  #frame = 0;
  #left = [];

  constructor(marker) {
    this.#marker = marker;
  }

  /** Drives `path` within `seconds`; what is left of the former path is driven first, a little faster. */
  drive(path, seconds) {
    cancelAnimationFrame(this.#frame);
    const points = [...this.#left, ...path];
    const lengths = points.slice(1).map((point, i) => metres(points[i], point));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    if (reducedMotion.matches || !seconds || total < 1 || document.hidden) return this.#stop(points.at(-1));
    const started = performance.now();
    const step = (now) => {
      // A frame may carry a time from before the start: the van must not begin by backing up.
      const share = Math.min(1, Math.max(0, now - started) / (seconds * 1000));
      let ahead = share * total;
      let leg = 0;
      while (leg < lengths.length - 1 && ahead > lengths[leg]) ahead -= lengths[leg++];
      const [from, to] = [points[leg], points[leg + 1]];
      const part = lengths[leg] ? Math.min(1, ahead / lengths[leg]) : 1;
      const here = [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
      this.#marker.setLngLat([here[1], here[0]]);
      this.#left = share < 1 ? [here, ...points.slice(leg + 1)] : [];
      if (share < 1) this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  #stop([lat, lon]) {
    this.#left = [];
    this.#marker.setLngLat([lon, lat]);
  }
}

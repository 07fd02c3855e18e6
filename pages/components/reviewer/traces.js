// The trajectories beside a clip: fetched once for each address, drawn as lines.

import { made, madeSvg, pathOf } from "../dom.js";

/** @import { KnownCard } from "./navigation.js" */
/** @import { Traces } from "./payload.js" */

const REMEMBERED = 12;
const DASHES = ["", "6 4", "2 3"];

export class TraceLoader {
  constructor() {
    /** @type {Map<string, Promise<Traces | null>>} */
    this.loading = new Map();
  }

  /**
   * The card's trajectories, kept in the card too; null where there are none to be had now.
   *
   * @param {KnownCard} card
   * @returns {Promise<Traces | null>}
   */
  async load(card) {
    if (!card.traces) return null;
    card.trace = await (this.loading.get(card.traces) ?? this.begin(card.traces));
    return card.trace;
  }

  /** @param {string} address */
  begin(address) {
    const loading = fetch(address)
      .then((response) => (response.ok ? response.json() : null))
      .catch(() => null)
      .then((/** @type {Traces | null} */ traces) => {
        if (!traces) this.loading.delete(address); // the next one who asks tries again
        return traces;
      });
    this.loading.set(address, loading);
    if (this.loading.size > REMEMBERED) this.loading.delete([...this.loading.keys()][0]);
    return loading;
  }
}

/**
 * Draw one quantity of the trajectories: a line for each joint, and which is which.
 *
 * @param {Element} plot
 * @param {Element} legend
 * @param {Traces} traces
 * @param {string} quantity
 * @param {number} duration of the clip, s
 */
export function drawTraces(plot, legend, traces, quantity, duration) {
  const { at, series, joints, colour } = traces;
  const lines = series[quantity];
  const known = lines.flat().filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (/** @type {number} */ time) => (1000 * time) / duration;
  const y = (/** @type {number} */ value) => 96 - (92 * (value - low)) / (high - low || 1);
  const stroke = (/** @type {number} */ i) => ({ stroke: colour, "stroke-dasharray": DASHES[i] });
  plot.replaceChildren(
    ...lines.map((line, i) => madeSvg("path", { d: pathOf(line, at, x, y), ...stroke(i) })),
  );
  const place = { x1: "0", y1: "2", x2: "24", y2: "2", "stroke-width": "2.5" };
  legend.replaceChildren(
    ...joints.map((joint, i) => {
      const sample = madeSvg("svg", { viewBox: "0 0 24 4" });
      sample.append(madeSvg("line", { ...place, ...stroke(i) }));
      const entry = made("span", "", joint);
      entry.prepend(sample);
      return entry;
    }),
  );
}

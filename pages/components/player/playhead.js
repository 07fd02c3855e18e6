// A line over the page's chart at the picture's time. It asks Plotly's layout where a time lies; a
// chart that is not as expected simply gets no line. Drawn here and not by the page, because
// Streamlit builds a chart anew whenever anything in it has changed.

import { made } from "../dom.js";

/**
 * What Plotly keeps of a chart's look: the plot's place in px, and its axis of time.
 *
 * @typedef {object} Layout
 * @property {{ l: number, t: number, h: number }} [_size]
 * @property {{ l2p?: (time: number) => number, range: [number, number] }} [xaxis]
 */

export class Playhead {
  constructor() {
    this.chart = "";
    /** @type {HTMLElement | null} */
    this.line = null;
  }

  /** @param {number} time s */
  show(time) {
    const plot = this.chart && document.querySelector(`.st-key-${this.chart} .js-plotly-plot`);
    const place = plot && placeOf(plot, time);
    if (!place) return;
    this.line ??= made("div", "gymform-playhead");
    this.line.dataset.time = String(time);
    const looks = { position: "absolute", width: "1.5px", background: "#8A8F98" };
    Object.assign(this.line.style, looks, { pointerEvents: "none" }, place);
    if (this.line.parentElement !== plot) plot.append(this.line);
  }

  hide() {
    this.line?.remove();
  }
}

/**
 * Where the line over a chart belongs, as CSS; null for a chart that is not as expected.
 *
 * @param {Element} plot
 * @param {number} time s
 */
function placeOf(plot, time) {
  const layout = /** @type {Element & { _fullLayout?: Layout }} */ (plot)._fullLayout;
  if (!layout?.xaxis?.l2p || !layout._size) return null;
  const { l, t, h } = layout._size;
  const [from, to] = layout.xaxis.range;
  return {
    left: `${l + layout.xaxis.l2p(time)}px`,
    top: `${t}px`,
    height: `${h}px`,
    display: time >= from && time <= to ? "" : "none",
  };
}

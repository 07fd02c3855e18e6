// Corrections of keypoints: the skeleton over the picture, whose joints can be dragged; spans in
// which left and right are exchanged or joints are hidden.

import { find, listener, made, madeMarks } from "../dom.js";
import { frameAt } from "../frames.js";
import { bones, dots, fetchPoints, mendedSpans, nearest } from "./joints.js";

/** @import { KnownCard } from "./navigation.js" */
/** @import { NewDecision } from "./outbox.js" */
/** @import { Picture } from "./picture.js" */
/** @import { Points, PointCorrection, SpanCorrection } from "./payload.js" */

const GRAB_PX = 22; // a joint is grabbed from this far on the screen
const DOT_PX = 5;
const KEYPOINTS_KEPT = 6;

/**
 * What the corrector asks and tells.
 *
 * @typedef {object} Correcting
 * @property {() => KnownCard | undefined} card on the screen
 * @property {Picture} picture
 * @property {(decision: NewDecision) => void} push hands a decision on
 * @property {AbortSignal} signal ends everything
 */

export class Corrector {
  /**
   * @param {HTMLElement} section
   * @param {Correcting} around
   */
  constructor(section, around) {
    this.section = section;
    this.around = around;
    this.svg = find(section, ".skeleton", SVGSVGElement);
    this.bar = find(section, ".correcting");
    this.toggleButton = find(section, ".correct");
    this.joint = find(section, ".joint", HTMLSelectElement);
    this.span = find(section, ".span", HTMLOutputElement);
    this.mended = find(section, ".mended");
    this.isOn = false;
    /** @type {Map<string, Promise<Points | null>>} */
    this.loading = new Map();
    /** @type {Points | null} */
    this.points = null;
    /** @type {string | null} */
    this.address = null;
    /** @type {{ joint: number, frame: number, x: number, y: number } | null} */
    this.dragged = null;
    /** @type {{ from: number, to: number } | null} the span that was chosen, s */
    this.chosen = null;
    this.listen();
  }

  listen() {
    const on = listener(this.around.signal);
    const press = (/** @type {string} */ selector, /** @type {() => void} */ action) =>
      on(find(this.bar, selector), "click", action);
    on(this.svg, "pointerdown", (event) => this.grab(event));
    on(this.svg, "pointermove", (event) => this.drag(event));
    on(this.svg, "pointerup", () => this.release());
    on(this.svg, "pointercancel", () => (this.dragged = null));
    on(this.joint, "change", () => {
      this.draw();
      this.joint.blur();
    });
    press(".from", () => this.choose("from"));
    press(".to", () => this.choose("to"));
    press(".exchange", () => this.tellSpan("exchange", []));
    press(".conceal", () => this.tellSpan("hidden", [this.joint.value]));
    press(".uncorrect", () => this.undo());
  }

  // -- on and off -------------------------------------------------------------------------------

  toggle() {
    const card = this.around.card();
    if (!this.isOn && !card?.points) return;
    this.isOn = !this.isOn;
    this.toggleButton.setAttribute("aria-pressed", String(this.isOn));
    this.bar.hidden = !this.isOn;
    this.svg.toggleAttribute("hidden", !this.isOn);
    if (this.isOn) this.around.picture.video?.pause();
    this.show();
  }

  /** Another card, or another version of its keypoints, may be on the screen. */
  show() {
    const card = this.around.card();
    this.toggleButton.toggleAttribute("disabled", !card?.points && !this.isOn);
    if (!this.isOn || !card) return;
    if (card.id !== this.section.dataset.corrected) {
      this.section.dataset.corrected = card.id;
      this.chosen = null;
      this.points = null;
    }
    if (card.points && card.points !== this.address) this.load(card.points);
    this.draw();
  }

  /** What was not saved is not shown: ask for the keypoints again. */
  forget() {
    this.loading.clear();
    this.address = null;
    this.show();
  }

  /** @param {string} address */
  async load(address) {
    this.address = address;
    const asked = this.loading.get(address) ?? fetchPoints(address);
    this.loading.set(address, asked);
    if (this.loading.size > KEYPOINTS_KEPT) this.loading.delete([...this.loading.keys()][0]);
    const points = await asked;
    if (!points) this.loading.delete(address);
    if (address !== this.address) return; // a newer one was asked for meanwhile
    this.points = points;
    this.offerJoints();
    this.draw();
  }

  offerJoints() {
    if (!this.points || this.joint.options.length) return;
    this.joint.replaceChildren(
      ...this.points.names.map((name) =>
        Object.assign(made("option", "", name.replaceAll("_", " ")), { value: name }),
      ),
    );
  }

  // -- dragging ---------------------------------------------------------------------------------

  /** @param {PointerEvent} event */
  grab(event) {
    const { points } = this;
    if (!points || event.button > 0) return;
    this.around.picture.video?.pause();
    const frame = this.frame();
    const { x, y, scale } = this.placeOf(event);
    const near = nearest(points.xy[frame], x, y, GRAB_PX / scale);
    const joint = near ?? this.missing(frame);
    if (joint === null) return;
    this.joint.value = points.names[joint];
    this.dragged = { joint, frame, x, y };
    this.svg.setPointerCapture(event.pointerId);
    event.preventDefault();
    if (near === null) this.drag(event);
  }

  /**
   * The joint that is chosen, when the frame lacks it: then it is put where somebody presses.
   *
   * @param {number} frame
   */
  missing(frame) {
    const chosen = this.points?.names.indexOf(this.joint.value) ?? -1;
    return chosen >= 0 && this.points?.xy[frame][2 * chosen] === null ? chosen : null;
  }

  /** @param {PointerEvent} event */
  drag(event) {
    if (!this.dragged) return;
    const { x, y } = this.placeOf(event);
    Object.assign(this.dragged, { x, y, moved: true });
    this.draw();
  }

  release() {
    const { dragged, points } = this;
    this.dragged = null;
    if (!dragged || !points || !("moved" in dragged)) {
      this.draw();
      return;
    }
    const { joint, frame, x, y } = dragged;
    points.xy[frame].splice(2 * joint, 2, x, y); // until the page has said what follows from it
    points.source[frame][joint] = 1;
    this.draw();
    const time_s = points.times[frame];
    this.push({ kind: "point", time_s, keypoint: points.names[joint], x, y });
  }

  /**
   * Where an event is, px of the picture, and how many px of the screen one of these takes.
   *
   * @param {PointerEvent} event
   */
  placeOf(event) {
    const matrix = this.svg.getScreenCTM();
    if (!matrix) return { x: 0, y: 0, scale: 1 };
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    return { x: rounded(x), y: rounded(y), scale: matrix.a };
  }

  /** @param {PointCorrection | SpanCorrection} correction */
  push(correction) {
    const card = this.around.card();
    if (card) this.around.push({ kind: "correct", item: card.id, correction });
  }

  undo() {
    const card = this.around.card();
    if (card) this.around.push({ kind: "uncorrect", item: card.id });
  }

  // -- spans ------------------------------------------------------------------------------------

  /** The span that a button is about: the one that was chosen, else the repetition. */
  spanNow() {
    const card = this.around.card();
    return this.chosen ?? { from: card?.start ?? 0, to: card?.end ?? 0 };
  }

  /** @param {"from" | "to"} end that the frame on the screen becomes */
  choose(end) {
    const time = this.points?.times[this.frame()] ?? 0;
    const span = { ...this.spanNow(), [end]: time };
    if (span.from > span.to) span[end === "from" ? "to" : "from"] = time;
    this.chosen = span;
    this.draw();
  }

  /**
   * @param {"exchange" | "hidden"} kind
   * @param {string[]} keypoints
   */
  tellSpan(kind, keypoints) {
    const { from, to } = this.spanNow();
    if (this.points) this.push({ kind, start_s: from, end_s: to, keypoints });
  }

  // -- what is shown ----------------------------------------------------------------------------

  frame() {
    return frameAt(this.points?.times ?? [0], this.around.picture.here() + 1e-4);
  }

  draw() {
    const { points } = this;
    const card = this.around.card();
    if (!this.isOn || !card) return;
    const { from, to } = this.spanNow();
    this.span.value = `${from.toFixed(2)} – ${to.toFixed(2)} s`;
    if (!points) {
      this.svg.replaceChildren();
      return;
    }
    const [width, height] = points.size;
    this.svg.setAttribute("viewBox", `-0.5 -0.5 ${width} ${height}`);
    const frame = this.frame();
    const xy = [...points.xy[frame]];
    if (this.dragged) xy.splice(2 * this.dragged.joint, 2, this.dragged.x, this.dragged.y);
    const scale = this.svg.getScreenCTM()?.a || 1;
    const chosen = points.names.indexOf(this.joint.value);
    this.svg.replaceChildren(
      ...bones(points, xy),
      ...dots(points, xy, frame, DOT_PX / scale, chosen),
    );
    this.mended.replaceChildren(...madeMarks(mendedSpans(points, chosen), card.duration));
  }
}

/** @param {number} value */
function rounded(value) {
  return Math.round(100 * value) / 100;
}

// The timeline: the clip's trajectories, a line where the picture is, and two handles at the ends of
// the repetition.

import { clamped, find, listener, madeMarks, percentOf } from "../dom.js";
import { frameOf, movedTo, nudgedTo, timesOf } from "./timing.js";
import { drawTraces } from "./traces.js";

/** @import { Bound } from "./keys.js" */
/** @import { KnownCard } from "./navigation.js" */
/** @import { Picture } from "./picture.js" */

const NUDGED_MS = 400; // keys that move an end are one decision when they come faster

export class Timeline {
  /**
   * @param {HTMLElement} section
   * @param {Picture} picture
   * @param {() => KnownCard | undefined} card on the screen
   * @param {() => void} onTrim tells that an end of the card's repetition was moved
   * @param {AbortSignal} signal ends everything
   */
  constructor(section, picture, card, onTrim, signal) {
    this.section = section;
    this.picture = picture;
    this.cardNow = card;
    this.onTrim = onTrim;
    this.chart = find(section, ".chart");
    this.playhead = find(section, ".playhead");
    this.clock = find(section, ".clock", HTMLOutputElement);
    this.quantity = find(section, ".quantity", HTMLSelectElement);
    this.plot = find(section, ".plot", SVGElement);
    this.legend = find(section, ".legend");
    this.proposed = find(section, ".proposed");
    this.outside = {
      start: find(section, ".outside.before"),
      end: find(section, ".outside.after"),
    };
    this.handles = { start: find(section, ".handle.start"), end: find(section, ".handle.end") };
    /** @type {Bound | "place" | null} what the pointer drags */
    this.dragging = null;
    this.before = { start: 0, end: 0 };
    this.playedOn = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.nudging = undefined;
    const on = listener(signal);
    on(this.chart, "pointerdown", (event) => this.grab(event));
    on(this.chart, "pointermove", (event) => this.drag(event));
    on(this.chart, "pointerup", () => this.release());
    on(this.chart, "pointercancel", () => this.release());
    on(this.quantity, "change", () => {
      this.draw();
      this.quantity.blur();
    });
  }

  // -- the pointer ------------------------------------------------------------------------------

  /** @param {PointerEvent} event */
  grab(event) {
    const card = this.cardNow();
    if (!card || event.button > 0) return;
    const bounds = event.composedPath().map((target) => this.boundOf(target));
    this.dragging = bounds.find(Boolean) ?? "place";
    this.before = { start: card.start, end: card.end };
    this.playedOn = !this.picture.video?.paused;
    this.chart.setPointerCapture(event.pointerId);
    event.preventDefault();
    this.drag(event);
  }

  /**
   * Which end of the repetition an element is the handle of.
   *
   * @param {EventTarget | undefined} target
   * @returns {Bound | null}
   */
  boundOf(target) {
    if (target === this.handles.start) return "start";
    return target === this.handles.end ? "end" : null;
  }

  /** @param {PointerEvent} event */
  drag(event) {
    const card = this.cardNow();
    if (!card || !this.dragging) return;
    const area = this.chart.getBoundingClientRect();
    const time = clamped((event.clientX - area.left) / area.width, 0, 1) * card.duration;
    if (this.dragging === "place") this.picture.goToTime(time);
    else this.move(card, this.dragging, time);
  }

  release() {
    const { dragging } = this;
    this.dragging = null;
    const card = this.cardNow();
    if (!card || !dragging || dragging === "place") return;
    this.tellChange(card, this.before);
    if (this.playedOn) this.picture.play();
  }

  // -- the ends of the repetition ---------------------------------------------------------------

  /**
   * Move an end to a frame, and show that frame.
   *
   * @param {KnownCard} card
   * @param {Bound} bound
   * @param {number} time s
   */
  move(card, bound, time) {
    card[bound] = movedTo(card, bound, time);
    this.showBounds(card);
    this.picture.goToTime(card[bound]);
  }

  /**
   * Move an end by some frames; several in a row are one decision.
   *
   * @param {Bound} bound
   * @param {number} frames
   */
  nudge(bound, frames) {
    const card = this.cardNow();
    if (!card) return;
    this.move(card, bound, nudgedTo(card, bound, frames));
    clearTimeout(this.nudging);
    this.nudging = setTimeout(() => this.cardNow() === card && this.onTrim(), NUDGED_MS);
  }

  /**
   * Move an end to the frame on the screen.
   *
   * @param {Bound} bound
   */
  setBound(bound) {
    const card = this.cardNow();
    if (!card) return;
    const { start, end } = card;
    this.move(card, bound, this.picture.here());
    this.tellChange(card, { start, end });
  }

  /**
   * @param {KnownCard} card
   * @param {{ start: number, end: number }} before
   */
  tellChange(card, before) {
    if (card.start !== before.start || card.end !== before.end) this.onTrim();
  }

  // -- what is shown ----------------------------------------------------------------------------

  /** @param {number} time s */
  showTime(time) {
    const card = this.cardNow();
    if (!card) return;
    const frame = frameOf(card, time);
    this.section.dataset.frame = String(frame);
    this.playhead.style.left = `${percentOf(time, card.duration)}%`;
    this.clock.value = `${time.toFixed(2)} s · frame ${frame + 1} of ${timesOf(card).length}`;
  }

  /** @param {KnownCard} card */
  showBounds(card) {
    const { start, end, duration } = card;
    this.outside.start.style.width = `${percentOf(start, duration)}%`;
    this.outside.end.style.width = `${100 - percentOf(end, duration)}%`;
    this.showHandle(this.handles.start, start, duration);
    this.showHandle(this.handles.end, end, duration);
  }

  /**
   * @param {HTMLElement} handle
   * @param {number} time s
   * @param {number} duration s
   */
  showHandle(handle, time, duration) {
    handle.style.left = `${percentOf(time, duration)}%`;
    find(handle, "b").textContent = time.toFixed(2);
    handle.setAttribute("aria-valuemin", "0");
    handle.setAttribute("aria-valuemax", duration.toFixed(2));
    handle.setAttribute("aria-valuenow", time.toFixed(2));
    handle.setAttribute("aria-valuetext", `${time.toFixed(2)} seconds`);
  }

  draw() {
    const card = this.cardNow();
    if (!card) return;
    this.showBounds(card);
    this.proposed.replaceChildren(...madeMarks(card.repetitions, card.duration));
    if (card.trace) {
      drawTraces(this.plot, this.legend, card.trace, this.quantity.value, card.duration);
    } else {
      this.plot.replaceChildren();
      this.legend.replaceChildren();
    }
  }
}

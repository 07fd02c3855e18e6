// Another person to follow: a click on them, or a box dragged around them.

import { clamped, find, listener } from "../dom.js";

/** @import { PickedPerson } from "./payload.js" */

/** @typedef {[number, number]} Point x, y px of the picture */

const DRAG_PX = 6; // a shorter drag is a click

/**
 * What the picker asks and tells.
 *
 * @typedef {object} Surroundings
 * @property {() => { width: number, height: number } | null} size of the picture, px; null before it is known
 * @property {() => void} onOpen tells that a person is to be chosen
 * @property {() => void} onDraw tells that another drawing is due
 * @property {() => void} onClick tells of a click while nobody is to be chosen
 * @property {(person: Omit<PickedPerson, "time_s">) => void} onPick
 * @property {AbortSignal} signal ends everything
 */

export class PersonPicker {
  /**
   * @param {HTMLElement} section
   * @param {HTMLCanvasElement} canvas over the picture
   * @param {Surroundings} surroundings
   */
  constructor(section, canvas, surroundings) {
    this.section = section;
    this.canvas = canvas;
    this.around = surroundings;
    this.stage = find(section, ".stage");
    this.box = find(section, ".picking");
    this.followButton = find(section, ".follow", HTMLButtonElement);
    this.size = { width: 0, height: 0 };
    this.isOpen = false;
    this.isDown = false;
    /** @type {{ start: Point, end: Point } | null} */
    this.drag = null;
    const on = listener(surroundings.signal);
    on(find(section, ".pick"), "click", () => (this.isOpen ? this.close() : this.open()));
    on(find(section, ".keep"), "click", () => this.close());
    on(this.followButton, "click", () => this.follow());
    on(canvas, "pointerdown", (event) => this.down(event));
    on(canvas, "pointermove", (event) => this.move(event));
    on(canvas, "pointerup", () => this.up());
  }

  open() {
    const size = this.around.size();
    if (!size) return;
    this.size = size;
    this.around.onOpen();
    this.isOpen = true;
    this.drag = null;
    this.stage.classList.add("choosing");
    this.box.hidden = false;
    this.followButton.disabled = true;
    this.around.onDraw();
  }

  close() {
    this.isOpen = this.isDown = false;
    this.drag = null;
    this.stage.classList.remove("choosing");
    this.box.hidden = true;
    this.around.onDraw();
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.section.focus({ preventScroll: true });
    if (!this.isOpen) return;
    this.canvas.setPointerCapture(event.pointerId);
    const start = this.inPicture(event);
    this.drag = { start, end: start };
    this.isDown = true;
    this.around.onDraw();
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.isDown || !this.drag) return;
    this.drag.end = this.inPicture(event);
    this.around.onDraw();
  }

  up() {
    if (!this.isOpen) {
      this.around.onClick();
      return;
    }
    this.isDown = false;
    this.followButton.disabled = false;
    this.followButton.focus();
  }

  follow() {
    const box = this.dragged();
    if (this.drag) this.around.onPick({ point: box ? null : this.drag.start, box });
    this.close();
  }

  /**
   * The pointer in px of the source picture; the centre of its first pixel is (0, 0).
   *
   * @param {PointerEvent} event
   * @returns {Point}
   */
  inPicture({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [
      pixelAt((clientX - left) / width, this.size.width),
      pixelAt((clientY - top) / height, this.size.height),
    ];
  }

  /** @returns {[number, number, number, number] | null} the box dragged; null for a click */
  dragged() {
    if (!this.drag) return null;
    const least = (DRAG_PX * this.size.width) / this.canvas.clientWidth;
    return boxOf(this.drag.start, this.drag.end, least);
  }
}

/**
 * The place, px, at a share of a side of the picture; the centre of its first pixel is 0.
 *
 * @param {number} share
 * @param {number} pixels
 */
export function pixelAt(share, pixels) {
  return clamped(share * pixels - 0.5, 0, pixels - 1);
}

/**
 * The box between two corners: x, y, width, height; null when a side is not longer than `least`.
 *
 * @param {Point} start
 * @param {Point} end
 * @param {number} least
 * @returns {[number, number, number, number] | null}
 */
export function boxOf(start, end, least) {
  const [x, y] = [Math.min(start[0], end[0]), Math.min(start[1], end[1])];
  const [width, height] = [Math.abs(start[0] - end[0]), Math.abs(start[1] - end[1])];
  return width > least && height > least ? [x, y, width, height] : null;
}

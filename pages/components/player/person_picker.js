// What to follow: a click on a person or a box dragged around them, or a plate from its centre to its
// rim.

import { clamped, find, listener } from "../dom.js";

/** @import { PickedPerson } from "./payload.js" */

/** @typedef {[number, number]} Point x, y px of the picture */

const DRAG_PX = 6; // a shorter drag is a click

/**
 * What the picker asks and tells.
 *
 * @typedef {object} Surroundings
 * @property {() => { width: number, height: number } | null} size of the picture, px; null before it is known
 * @property {() => void} onOpen tells that something is to be chosen
 * @property {() => void} onDraw tells that another drawing is due
 * @property {() => void} onClick tells of a click while nothing is to be chosen
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
    this.kind = "person";
    /** @type {{ start: Point, end: Point } | null} */
    this.drag = null;
    const on = listener(surroundings.signal);
    for (const button of [find(section, ".pick"), find(section, ".mark")]) {
      on(button, "click", () => this.openOrClose(button.dataset.kind ?? "person"));
    }
    on(find(section, ".keep"), "click", () => this.close());
    on(this.followButton, "click", () => this.follow());
    on(canvas, "pointerdown", (event) => this.down(event));
    on(canvas, "pointermove", (event) => this.move(event));
    on(canvas, "pointerup", () => this.up());
  }

  /** @param {string} kind of what is chosen: "person" or "plate" */
  openOrClose(kind) {
    const wasOpen = this.isOpen && this.kind === kind;
    if (this.isOpen) this.close();
    if (!wasOpen) this.open(kind);
  }

  /** @param {string} kind */
  open(kind) {
    const size = this.around.size();
    if (!size) return;
    this.size = size;
    this.kind = kind;
    for (const line of this.box.querySelectorAll("[data-for]")) {
      line.toggleAttribute("hidden", line.getAttribute("data-for") !== kind);
    }
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
    this.followButton.disabled = this.kind === "plate" && !this.radius();
    if (!this.followButton.disabled) this.followButton.focus();
  }

  follow() {
    if (!this.drag) return;
    const { start } = this.drag;
    if (this.kind === "plate") {
      this.around.onPick({ point: null, box: null, plate: [...start, this.radius()] });
    } else {
      const box = this.dragged();
      this.around.onPick({ point: box ? null : start, box, plate: null });
    }
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
    if (!this.drag || this.kind === "plate") return null;
    return boxOf(this.drag.start, this.drag.end, this.least());
  }

  /** The radius of the plate, px, from its centre to where the pointer is; 0 for a click. */
  radius() {
    if (!this.drag || this.kind !== "plate") return 0;
    const radius = distance(this.drag.start, this.drag.end);
    return radius > this.least() ? radius : 0;
  }

  /** The longest way of the pointer, px, that is still a click. */
  least() {
    return (DRAG_PX * this.size.width) / this.canvas.clientWidth;
  }
}

/**
 * @param {Point} from
 * @param {Point} to
 */
export function distance(from, to) {
  return Math.hypot(to[0] - from[0], to[1] - from[1]);
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

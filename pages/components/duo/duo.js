// Two repetitions side by side, or one laid over the other, with one scrubber for both.

import { mounted } from "../component.js";
import { clamped, find, isPlain, listener, madeButton, percentOf } from "../dom.js";
import { Half } from "./half.js";
import { laidOver } from "./fit.js";

/** @import { Component } from "../component.js" */
/** @import { DuoData } from "./payload.js" */

const SLOWLY = 2; // playing takes twice as long as life: both films have to be sought
const TICK_MS = 60;

export default mounted((root) => new Duo(root));

class Duo {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.section = find(root, ".duo");
    this.scrubber = find(root, ".scrubber", HTMLInputElement);
    this.moments = find(root, ".moments");
    this.message = find(root, ".message");
    this.clock = find(root, ".clock", HTMLOutputElement);
    this.playButton = find(root, ".play");
    this.life = new AbortController();
    /** @type {DuoData | null} */
    this.data = null;
    this.turn = -1;
    this.sample = 0;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.playing = undefined;
    const around = {
      onReady: () => this.ready(),
      onProblem: () => this.say("A clip cannot be shown. Reload the page."),
      signal: this.life.signal,
    };
    this.first = new Half(find(root, ".first"), around);
    this.second = new Half(find(root, ".second"), around);
    this.resizes = new ResizeObserver(() => this.lay());
    this.resizes.observe(this.first.stage);
    this.listen();
  }

  destroy() {
    this.life.abort();
    this.pause();
    this.resizes.disconnect();
    this.first.destroy();
    this.second.destroy();
  }

  /** @param {Component<DuoData>} component */
  update({ data }) {
    this.data = data;
    this.first.update(data.first);
    this.second.update(data.second);
    this.second.place.classList.toggle("mirrored", data.fit.mirrored);
    this.scrubber.max = String(data.seconds.length - 1);
    this.moments.replaceChildren(
      ...data.moments.map(([name, sample]) => {
        const button = madeButton("moment", name, () => this.jump(sample));
        button.style.left = `${percentOf(sample, data.seconds.length - 1)}%`;
        return button;
      }),
    );
    if (data.turn !== this.turn) {
      this.turn = data.turn;
      this.show(data.sample);
    }
    this.lay();
  }

  ready() {
    if (!this.first.isReady || !this.second.isReady) return;
    this.message.hidden = true;
    this.scrubber.disabled = false;
    this.show(this.sample);
    this.lay();
  }

  /** @param {string} text */
  say(text) {
    this.message.textContent = text;
    this.message.hidden = false;
  }

  listen() {
    const on = listener(this.life.signal);
    const click = (/** @type {string} */ selector, /** @type {() => void} */ action) =>
      on(find(this.section, selector), "click", action);
    click(".back", () => this.jump(this.sample - 1));
    click(".forward", () => this.jump(this.sample + 1));
    click(".play", () => this.playOrPause());
    click(".ghost", () => this.toggleGhost());
    click(".bones", () => this.toggleBones());
    on(this.scrubber, "input", () => this.jump(Number(this.scrubber.value)));
    on(this.section, "keydown", (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {Element} */ (event.target);
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowLeft: () => this.jump(this.sample - 1),
      ArrowRight: () => this.jump(this.sample + 1),
      Home: () => this.jump(0),
      End: () => this.jump(Infinity),
      " ": () => this.playOrPause(),
      g: () => this.toggleGhost(),
    };
    const action = isPlain(event) && actions[event.key];
    if (!action || (target.matches("button") && event.key === " ")) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  /** @param {number} sample */
  jump(sample) {
    this.pause();
    this.show(sample);
  }

  /** @param {number} sample */
  show(sample) {
    const { data } = this;
    if (!data) return;
    this.sample = clamped(sample, 0, data.seconds.length - 1);
    this.scrubber.value = String(this.sample);
    this.first.show(data.first.frames[this.sample]);
    this.second.show(data.second.frames[this.sample]);
    const share = Math.round((100 * this.sample) / (data.seconds.length - 1));
    this.clock.value = `${data.seconds[this.sample].toFixed(2)} s of the first · ${share} %`;
    this.scrubber.setAttribute("aria-valuetext", this.clock.value);
    this.section.dataset.sample = String(this.sample);
  }

  playOrPause() {
    if (this.playing !== undefined) {
      this.pause();
      return;
    }
    if (this.data && this.sample >= this.data.seconds.length - 1) this.show(0);
    const began = performance.now();
    const from = this.data?.seconds[this.sample] ?? 0;
    this.playing = setInterval(
      () => this.goOn(from + (performance.now() - began) / 1000 / SLOWLY),
      TICK_MS,
    );
    this.playButton.textContent = "Pause";
  }

  pause() {
    clearInterval(this.playing);
    this.playing = undefined;
    this.playButton.textContent = "Play";
  }

  /** @param {number} second of the first film */
  goOn(second) {
    const { seconds = [] } = this.data ?? {};
    const next = seconds.findIndex((one) => one >= second);
    this.show(next < 0 ? Infinity : next);
    if (next < 0) this.pause();
  }

  toggleBones() {
    const isOn = !this.first.bones;
    find(this.section, ".bones").setAttribute("aria-pressed", String(isOn));
    for (const half of [this.first, this.second]) {
      half.bones = isOn;
      half.draw();
    }
  }

  toggleGhost() {
    const isOn = this.section.classList.toggle("laid");
    find(this.section, ".ghost").setAttribute("aria-pressed", String(isOn));
    this.lay();
  }

  // Put the second picture on the feet of the first, as large as its lifter is there.
  lay() {
    const { data, first, second } = this;
    const { style } = second.stage;
    const isLaid = this.section.classList.contains("laid");
    if (!isLaid || !data || !first.pose || !second.pose) {
      style.transform = style.width = style.left = style.top = "";
    } else {
      const to = first.stage.getBoundingClientRect();
      const over = find(this.section, ".pair").getBoundingClientRect();
      const shown = to.width / first.pose.width;
      const place = laidOver(data.fit, shown, [to.left - over.left, to.top - over.top]);
      style.width = `${second.pose.width}px`;
      style.left = style.top = "0";
      style.transform = place;
    }
    first.draw();
    second.draw();
  }
}

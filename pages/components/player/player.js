// A frame-exact player: the clip, the skeleton drawn over it, and both bound to the page.
//
// It tells the page the state `frame` when the picture has come to rest, and the trigger `pick` when
// another person was chosen.

import { mounted } from "../component.js";
import { find, isPlain, listener, madeMarks, percentOf, toggleFullScreen } from "../dom.js";
import { drawPick, emptySheet } from "./drawing.js";
import { drawFocus } from "./focus.js";
import { drawLayers, offerLayers } from "./layers.js";
import { Loop } from "./loop.js";
import { PersonPicker } from "./person_picker.js";
import { Playhead } from "./playhead.js";
import { Readout } from "./readout.js";
import { Seeker } from "./seeker.js";

/** @import { Component } from "../component.js" */
/** @import { PickedPerson, PlayerData, PlayerKeypoints, PlayerState, PlayerTriggers } from "./payload.js" */

/** @typedef {Component<PlayerData, PlayerState, PlayerTriggers>} Given */

const REST_MS = 150; // how long the picture rests before the page is told
const BEAT_MS = 500; // how often the line over the chart is put right

export default mounted((root) => new Player(root));

class Player {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.section = find(root, ".player");
    this.stage = find(root, ".stage");
    this.video = find(root, "video", HTMLVideoElement);
    this.canvas = find(root, "canvas", HTMLCanvasElement);
    this.message = find(root, ".message");
    this.scrubber = find(root, ".scrubber", HTMLInputElement);
    this.playButton = find(root, ".play");
    this.repetitions = find(root, ".repetitions");
    this.readout = new Readout(this.section, this.canvas, this.scrubber);
    this.focus = ""; // what a cue is about, drawn over the picture
    /** @type {Record<string, boolean>} */
    this.layers = { clean: true, raw: false, box: true, bar: true };
    /** @type {Given | null} */
    this.component = null;
    /** @type {PlayerKeypoints | null} */
    this.pose = null;
    /** @type {number | null} the frame that the page knows */
    this.told = null;
    this.videoUrl = "";
    this.posesUrl = "";
    /** @type {number | null} the latest wish of the page */
    this.sought = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.rest = undefined;
    this.life = new AbortController();
    this.picker = new PersonPicker(this.section, this.canvas, {
      size: () => this.pose,
      onOpen: () => this.video.pause(),
      onDraw: () => this.draw(),
      onClick: () => this.playOrPause(),
      onPick: (person) => this.follow(person),
      signal: this.life.signal,
    });
    this.loop = new Loop(this.video, find(root, ".looping"), this.life.signal);
    this.playhead = new Playhead();
    this.seeker = new Seeker(this.video, {
      times: () => this.pose?.times ?? null,
      onAim: (frame) => this.moveScrubber(frame),
      onShow: (frame) => this.show(frame),
      onRest: () => this.tellLater(),
      signal: this.life.signal,
    });
    this.listen();
    // Charts come, go, zoom and are resized without telling.
    this.beat = setInterval(() => this.point(), BEAT_MS);
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.stage);
  }

  destroy() {
    this.life.abort();
    this.resizes.disconnect();
    clearInterval(this.beat);
    this.playhead.hide();
    clearTimeout(this.rest);
    this.video.removeAttribute("src");
    this.video.load();
  }

  // -- what the page says -----------------------------------------------------------------------

  /** @param {Given} component */
  update(component) {
    this.component = component;
    const { video, poses, seek, ratio, chart } = component.data;
    const isKnown = this.sought !== null && video === this.videoUrl;
    this.playhead.chart = chart;
    this.stage.style.setProperty("--ratio", String(ratio));
    if (poses !== this.posesUrl) this.loadPoses(poses);
    if (video !== this.videoUrl) {
      this.videoUrl = video;
      this.video.src = video;
      this.told = this.seeker.wanted = null;
    }
    if (seek.turn !== this.sought) {
      this.sought = seek.turn;
      this.jump(seek.frame);
      this.told = seek.frame;
      this.focus = seek.focus;
      if (seek.loop) this.loop.start(seek.loop);
      // whoever asked for a moment from far below wants to see it
      if (isKnown) this.stage.scrollIntoView({ block: "nearest", behavior: "smooth" });
    }
    this.draw();
  }

  /** @param {string} url */
  async loadPoses(url) {
    this.posesUrl = url;
    this.pose = null;
    try {
      const answer = await fetch(url, { signal: this.life.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      const pose = await answer.json();
      if (url === this.posesUrl) this.take(pose);
    } catch (error) {
      const isOver = error instanceof Error && error.name === "AbortError";
      if (!isOver) this.say("The keypoints could not be loaded. Reload the page.");
    }
  }

  /** @param {PlayerKeypoints} pose */
  take(pose) {
    this.pose = pose;
    this.scrubber.max = String(pose.times.length - 1);
    this.scrubber.disabled = false;
    const { repetitions = [] } = this.component?.data ?? {};
    const marks = madeMarks(repetitions, pose.times.at(-1) ?? 0);
    marks.forEach((mark, number) => (mark.textContent = String(number + 1)));
    this.repetitions.replaceChildren(...marks);
    this.readout.showSides(pose.sides);
    offerLayers(this.section, pose);
    this.seeker.goTo(this.seeker.aim);
    this.ready();
  }

  ready() {
    if (this.pose && this.video.readyState >= 2) this.message.hidden = true;
  }

  /** @param {string} text */
  say(text) {
    this.message.textContent = text;
    this.message.hidden = false;
  }

  // -- what the user does -----------------------------------------------------------------------

  listen() {
    const { section, video, scrubber } = this;
    const on = listener(this.life.signal);
    const click = (/** @type {string} */ selector, /** @type {() => void} */ action) =>
      on(find(section, selector), "click", action);
    click(".back", () => this.step(-1));
    click(".forward", () => this.step(1));
    click(".play", () => this.playOrPause());
    click(".end-loop", () => this.endLoop());
    click(".full", () => toggleFullScreen(section));
    const speed = find(section, ".speed", HTMLSelectElement);
    on(speed, "change", () => (video.playbackRate = Number(speed.value)));
    on(scrubber, "input", () => this.jump(Number(scrubber.value)));
    for (const button of section.querySelectorAll("button.toggle")) {
      on(button, "click", () => this.toggle(/** @type {HTMLButtonElement} */ (button)));
    }
    on(section, "keydown", (event) => this.key(event));
    on(video, "canplay", () => this.ready());
    on(video, "play", () => this.showPlaying(true));
    on(video, "pause", () => this.showPlaying(false));
    const problem = "This browser cannot play the clip. Download the annotated video below.";
    on(video, "error", () => this.say(problem));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {Element} */ (event.target);
    const action = isPlain(event) && !target.matches("select") && this.actionOf(event.key);
    if (!action || (target.matches("button") && event.key === " ")) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  /** @param {string} key */
  actionOf(key) {
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      Home: () => this.jump(0),
      End: () => this.jump(Infinity),
      Escape: () => this.picker.close(),
      f: () => toggleFullScreen(this.section),
      " ": () => this.playOrPause(),
    };
    return actions[key];
  }

  /** @param {HTMLButtonElement} button of a layer of the drawing */
  toggle(button) {
    const layer = button.dataset.layer ?? "";
    this.layers[layer] = !this.layers[layer];
    button.setAttribute("aria-pressed", String(this.layers[layer]));
    this.draw();
  }

  /** @param {number} frames */
  step(frames) {
    this.jump(this.seeker.aim + frames);
  }

  endLoop() {
    this.focus = "";
    this.loop.stop();
    this.video.pause();
    this.draw();
  }

  /** @param {number} frame */
  jump(frame) {
    this.loop.stop();
    this.focus = "";
    this.video.pause();
    this.seeker.goTo(frame);
  }

  playOrPause() {
    this.loop.stop();
    if (!this.video.paused) {
      this.video.pause();
      return;
    }
    this.picker.close();
    const isAtEnd = this.pose && this.seeker.frame >= this.pose.times.length - 1;
    if (isAtEnd) this.video.currentTime = 0;
    this.video.play().catch(() => this.say("The clip cannot be played."));
  }

  // -- what is shown ----------------------------------------------------------------------------

  /** @param {number} frame that is on the screen now */
  show(frame) {
    this.moveScrubber(frame);
    this.point();
    this.draw();
  }

  /** @param {boolean} yes */
  showPlaying(yes) {
    this.section.classList.toggle("playing", yes);
    this.playButton.setAttribute("aria-label", yes ? "Pause" : "Play");
    if (!yes) this.tellLater();
  }

  /** @param {number} frame */
  moveScrubber(frame) {
    this.scrubber.value = String(frame);
    const done = percentOf(frame, Number(this.scrubber.max));
    this.scrubber.style.setProperty("--done", `${done}%`);
  }

  point() {
    if (this.pose) this.playhead.show(this.pose.times[this.seeker.frame]);
  }

  /** @param {Omit<PickedPerson, "time_s">} person in the frame on the screen */
  follow(person) {
    const time_s = this.pose?.times[this.seeker.frame] ?? 0;
    this.component?.setTriggerValue("pick", { time_s, ...person });
  }

  tellLater() {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      const { frame, wanted } = this.seeker;
      if (!this.video.paused || wanted !== null || this.told === frame) return;
      this.told = frame;
      this.component?.setStateValue("frame", { index: frame, turn: Date.now() });
    }, REST_MS);
  }

  draw() {
    const { pose, layers, picker } = this;
    const { frame } = this.seeker;
    const sheet = emptySheet(this.canvas, this.stage, pose?.width ?? 0);
    if (!sheet || !pose) return;
    drawLayers(sheet, pose, layers, frame);
    drawFocus(sheet, pose, frame, this.focus);
    if (picker.drag) drawPick(sheet, picker.drag.start, picker.dragged(), picker.radius());
    this.readout.show(pose, frame);
  }
}

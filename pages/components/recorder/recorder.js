// Records one repetition at the camera's quality, with a countdown or hands-free.
//
// Hands-free, somebody who stands still starts it and somebody who stands still again stops it;
// what moved in between is told as a span of seconds, to which the server cuts the clip. It tells
// the page the trigger `recording`.

import { mounted } from "../component.js";
import { find, listener } from "../dom.js";
import { CameraProblem, closeCamera, inWords, showProblem } from "../live/live_camera.js";
import { Display } from "./display.js";
import { base64, camerasToChoose, encoderFor, openRecordable, pause } from "./media.js";
import { MotionEye } from "./motion_eye.js";
import { Sound } from "./sound.js";
import { Take } from "./take.js";

/** @import { Component } from "../component.js" */
/** @import { State } from "./display.js" */
/** @import { RecorderData, RecorderTriggers } from "./payload.js" */

/** @typedef {Component<RecorderData, {}, RecorderTriggers>} Given */

const LOOK_MS = 100; // how often motion is looked for
const STILL_TO_START_MS = 1500;
const COUNT_FROM = 3; // hands-free: stand still, then three, two, one
const SEND_PATIENCE_MS = 45000;
const PICTURE_PATIENCE_MS = 3000; // without a picture after that, one can record all the same
const SLICE_MS = 500; // the recorder hands over its bytes this often

export default mounted((root) => new Recorder(root));

class Recorder {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.display = new Display(root);
    this.life = new AbortController();
    this.eye = new MotionEye(this.display.preview);
    this.sound = new Sound();
    /** @type {State} */
    this.state = "opening";
    /** @type {RecorderData} */
    this.data = { max_seconds: 0, max_bytes: 0, delay_s: 0 };
    /** @type {Given | null} */
    this.component = null;
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {MediaRecorder | null} */
    this.recorder = null;
    /** @type {Take | null} */
    this.take = null;
    /** @type {{ blob: Blob, url: string } | null} */
    this.recorded = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.wait = undefined;
    this.listen();
    this.beat = setInterval(() => this.look(), LOOK_MS);
    this.open();
  }

  /** @param {Given} component */
  update(component) {
    this.component = component;
    this.data = component.data;
    find(this.root, ".delay").textContent = String(component.data.delay_s);
  }

  destroy() {
    this.life.abort();
    clearInterval(this.beat);
    clearTimeout(this.wait);
    this.drop();
    closeCamera(this.stream);
    this.sound.close();
  }

  listen() {
    const on = listener(this.life.signal);
    /** @type {Record<string, () => void>} */
    const buttons = {
      ".free": () => this.arm(),
      ".timed": () => this.countDown(this.data.delay_s, false),
      ".stop": () => this.finish(),
      ".cancel": () => this.cancel(),
      ".send": () => this.send(),
      ".again": () => this.cancel(),
      ".retry": () => this.open(),
    };
    for (const [selector, action] of Object.entries(buttons)) {
      on(find(this.root, selector), "click", action);
    }
    on(this.display.cameras, "change", () => this.open(this.display.cameras.value));
  }

  // -- states -----------------------------------------------------------------------------------

  /**
   * @param {State} state
   * @param {string} [word] in large letters over the picture
   */
  go(state, word = "") {
    clearTimeout(this.wait);
    this.state = state;
    this.display.show(state, word);
  }

  /** @param {CameraProblem} problem */
  fail(problem) {
    this.drop();
    closeCamera(this.stream);
    this.stream = null;
    this.go("failed");
    showProblem(this.root, problem);
  }

  // -- the camera -------------------------------------------------------------------------------

  /** @param {string} [deviceId] of the camera to open */
  async open(deviceId) {
    closeCamera(this.stream);
    this.stream = null;
    showProblem(this.root, null);
    this.go("opening", "Opening the camera …");
    const opened = await openRecordable(deviceId);
    if (this.life.signal.aborted) {
      if (opened instanceof MediaStream) closeCamera(opened);
    } else if (opened instanceof MediaStream) {
      await this.showPreview(opened);
    } else {
      this.fail(opened);
    }
  }

  /** @param {MediaStream} stream */
  async showPreview(stream) {
    this.stream = stream;
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => {
      if (this.stream !== stream || this.life.signal.aborted) return;
      const plug = "Plug it in again, or allow it again, and try once more.";
      this.fail(new CameraProblem("The camera was disconnected", plug));
    });
    this.display.preview.srcObject = stream;
    // a preview whose first picture is lost never begins to play, nor fails to
    await Promise.race([this.display.preview.play().catch(() => {}), pause(PICTURE_PATIENCE_MS)]);
    const { width = 16, height = 9, deviceId } = track.getSettings();
    find(this.root, ".stage").style.setProperty("--ratio", String(width / height));
    this.display.cameras.replaceChildren(...(await camerasToChoose(deviceId)));
    if (this.state === "opening") this.go("ready");
  }

  // -- start ------------------------------------------------------------------------------------

  arm() {
    this.sound.prepare();
    this.eye.reset();
    this.go("armed", "Walk to your place and stand still");
  }

  /**
   * @param {number} seconds
   * @param {boolean} isFree whether it is hands-free
   */
  countDown(seconds, isFree) {
    this.sound.prepare();
    this.go("countdown");
    const tick = (/** @type {number} */ left) => {
      if (left === 0) {
        this.record(isFree);
        return;
      }
      this.display.say(String(left));
      this.sound.beep(660);
      this.wait = setTimeout(() => tick(left - 1), 1000);
    };
    tick(seconds);
  }

  /** @param {boolean} isFree whether it is hands-free */
  record(isFree) {
    if (!this.stream) return;
    const take = new Take(isFree);
    try {
      this.recorder = encoderFor(this.stream, this.data);
    } catch (error) {
      this.fail(inWords(error));
      return;
    }
    this.take = take;
    this.follow(this.recorder, take);
    this.eye.reset();
    this.recorder.start(SLICE_MS);
    this.sound.beep(990, 0.35);
    this.go("recording");
  }

  /**
   * @param {MediaRecorder} recorder
   * @param {Take} take that it fills
   */
  follow(recorder, take) {
    recorder.onstart = () => (take.started = performance.now());
    recorder.ondataavailable = ({ data }) => {
      take.add(data);
      if (take.isFull(this.data.max_bytes)) this.finish();
    };
    recorder.onerror = ({ error }) => this.fail(inWords(error ?? { name: "an error" }));
    recorder.onstop = () => {
      if (take === this.take) this.show(take, recorder.mimeType); // else it was dropped
    };
  }

  // -- while it runs ------------------------------------------------------------------------------

  look() {
    if (this.state === "armed") {
      const isMoving = this.eye.look();
      if (!this.display.preview.videoWidth || isMoving === null) return;
      if (this.eye.stillMs >= STILL_TO_START_MS) this.countDown(COUNT_FROM, true);
    } else if (this.state === "recording" && this.take && this.take.started !== null) {
      this.watch(this.take, performance.now() - this.take.started);
    }
  }

  /**
   * @param {Take} take
   * @param {number} elapsed ms
   */
  watch(take, elapsed) {
    this.display.clock.textContent = `${(elapsed / 1000).toFixed(1)} s`;
    if (this.eye.look()) take.noteMotion(elapsed, LOOK_MS);
    const isLong = elapsed >= 1000 * this.data.max_seconds;
    if (isLong || take.isOver(this.eye.stillMs)) this.finish();
  }

  finish() {
    if (this.recorder?.state !== "recording") return;
    const seconds = (performance.now() - (this.take?.started ?? 0)) / 1000;
    this.display.section.dataset.seconds = String(seconds);
    this.recorder.stop();
    this.sound.beep(440, 0.35);
  }

  cancel() {
    this.drop();
    this.go("ready");
  }

  // Forget the recording, finished or not.
  drop() {
    const { recorder } = this;
    this.take = this.recorder = null;
    if (recorder && recorder.state !== "inactive") recorder.stop();
    this.display.review.removeAttribute("src");
    if (this.recorded) URL.revokeObjectURL(this.recorded.url);
    this.recorded = null;
  }

  // -- afterwards -------------------------------------------------------------------------------

  /**
   * @param {Take} take
   * @param {string} type of the video
   */
  show(take, type) {
    const blob = new Blob(take.chunks, { type });
    if (blob.size === 0) {
      this.cancel();
      this.display.say("Nothing was recorded. Please try again.");
      return;
    }
    this.recorded = { blob, url: URL.createObjectURL(blob) };
    this.display.review.src = this.recorded.url;
    this.display.review.play().catch(() => {});
    this.go("review");
  }

  async send() {
    const { take, recorded } = this;
    if (!take || !recorded) return;
    const { max_bytes } = this.data;
    if (recorded.blob.size > max_bytes) {
      const most = Math.round(max_bytes / 1e6);
      this.display.hint.textContent = `The recording is over ${most} MB. Please record a shorter one.`;
      return;
    }
    this.go("sending", "Sending …");
    const video = await base64(recorded.blob);
    if (this.life.signal.aborted || this.recorded !== recorded) return;
    this.component?.setTriggerValue("recording", { video, motion: take.motion });
    this.wait = setTimeout(() => {
      this.go("review");
      this.display.hint.textContent =
        "gymform has not answered. Check the connection and send it again.";
    }, SEND_PATIENCE_MS);
  }
}

// Records one repetition at the camera's quality, with a countdown or hands-free.
//
// Hands-free, somebody who stands still starts it and somebody who stands still again stops it;
// what moved in between is told as a span of seconds, to which the server cuts the clip. Whether
// something moves is seen from differences between small grey pictures.
// Data: {maxSeconds, maxBytes, delayS}. Trigger `recording`: {video (base64), motion}.

const recorders = new WeakMap();

const LOOK_MS = 100; // how often motion is looked for
const GREY = [64, 36]; // size of the pictures that are compared
const CHANGE = 18; // of 255: a grey pixel that changed by more has moved
const MOVING = 0.008; // a picture of which this share has moved is one with motion
const STILL_TO_START_MS = 1500;
const STILL_TO_STOP_MS = 2500;
const LEAST_MOTION_MS = 600; // less is a twitch, not a repetition
const COUNT_FROM = 3; // hands-free: stand still, then three, two, one
const SEND_PATIENCE_MS = 45000;
const PICTURE_PATIENCE_MS = 3000; // without a picture after that, one can record all the same
const SLICE_MS = 500; // the recorder hands over its bytes this often
const FULL = 0.92; // of maxBytes: time to stop, for the last slices are still to come

const TYPES = [
  "video/mp4;codecs=avc1.42E01F",
  "video/mp4;codecs=avc1",
  "video/mp4",
  "video/webm;codecs=vp9",
  "video/webm;codecs=vp8",
  "video/webm",
];
const QUALITY = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const MOST_BITS = 6e6; // a second

const HINTS = {
  ready:
    "Hands-free: walk to your place and stand still. It counts down, records, and stops when you " +
    "stand still again.",
  armed: "Walk to your place and stand still.",
  review: "One whole repetition, head to feet? Then use it.",
};

export default function (component) {
  const root = component.parentElement;
  const recorder = recorders.get(root) ?? new Recorder(root);
  recorders.set(root, recorder);
  const turn = ++recorder.turn;
  recorder.update(component);
  return () => {
    if (recorder.turn !== turn) return; // a late clean-up of an earlier call
    recorder.destroy();
    recorders.delete(root);
  };
}

class Recorder {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.turn = 0;
    this.root = root;
    this.section = find(".recorder");
    this.stage = find(".stage");
    this.preview = find(".preview");
    this.review = find(".review");
    this.word = find(".word");
    this.clock = find(".clock");
    this.hint = find(".hint");
    this.cameras = find(".cameras");
    this.life = new AbortController();
    this.eye = new MotionEye(this.preview);
    const on = (selector, action, event = "click") =>
      find(selector).addEventListener(event, action, { signal: this.life.signal });
    on(".free", () => this.arm());
    on(".timed", () => this.countDown(this.component.data.delayS, false));
    on(".stop", () => this.finish());
    on(".cancel", () => this.cancel());
    on(".send", () => this.send());
    on(".again", () => this.cancel());
    on(".retry", () => this.open());
    on(".cameras", () => this.open(this.cameras.value), "change");
    this.beat = setInterval(() => this.look(), LOOK_MS);
    this.open();
  }

  update(component) {
    this.component = component;
    this.root.querySelector(".delay").textContent = component.data.delayS;
  }

  destroy() {
    this.gone = true;
    this.life.abort();
    clearInterval(this.beat);
    clearTimeout(this.wait);
    this.drop();
    closeCamera(this.stream);
    this.sound?.close();
  }

  // -- states ---------------------------------------------------------------------------------

  // opening, failed, ready, armed, countdown, recording, review, sending
  go(state, word = "") {
    clearTimeout(this.wait);
    this.state = this.section.dataset.state = state;
    for (const control of this.section.querySelectorAll("[data-in]")) {
      control.hidden = !control.dataset.in.split(" ").includes(state);
    }
    this.cameras.hidden ||= this.cameras.options.length < 2;
    const reviewing = state === "review" || state === "sending";
    this.review.hidden = !reviewing;
    this.preview.hidden = reviewing || state === "failed";
    this.clock.hidden = state !== "recording";
    this.root.querySelector(".retry").hidden = state !== "failed";
    this.hint.textContent = HINTS[state] ?? "";
    this.say(word);
  }

  say(word) {
    this.word.textContent = word;
    this.word.classList.toggle("number", /^\d+$/.test(word));
  }

  fail(problem) {
    this.drop();
    closeCamera(this.stream);
    this.stream = null;
    this.go("failed");
    showProblem(this.root, problem);
  }

  // -- the camera -----------------------------------------------------------------------------

  async open(deviceId) {
    closeCamera(this.stream);
    this.stream = null;
    showProblem(this.root, null);
    this.go("opening", "Opening the camera …");
    let stream;
    try {
      stream = await openCamera({ ...QUALITY, ...(deviceId && { deviceId: { exact: deviceId } }) });
      if (!window.MediaRecorder) {
        closeCamera(stream);
        throw new CameraProblem("This browser cannot record", UPLOAD_INSTEAD);
      }
    } catch (problem) {
      if (!this.gone) this.fail(problem);
      return;
    }
    if (this.gone) {
      closeCamera(stream);
      return;
    }
    this.stream = stream;
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => {
      if (this.stream !== stream || this.gone) return;
      const plug = "Plug it in again, or allow it again, and try once more.";
      this.fail(new CameraProblem("The camera was disconnected", plug));
    });
    this.preview.srcObject = stream;
    // a preview whose first picture is lost never begins to play, nor fails to
    await Promise.race([this.preview.play().catch(() => {}), pause(PICTURE_PATIENCE_MS)]);
    const { width = 16, height = 9 } = track.getSettings();
    this.stage.style.setProperty("--ratio", width / height);
    await this.listCameras(track);
    if (this.state === "opening") this.go("ready");
  }

  async listCameras(track) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const current = track.getSettings().deviceId;
    this.cameras.replaceChildren(
      ...devices
        .filter(({ kind }) => kind === "videoinput")
        .map(({ deviceId, label }, i) => {
          const name = label || `Camera ${i + 1}`;
          return new Option(name, deviceId, false, deviceId === current);
        }),
    );
  }

  // -- start ----------------------------------------------------------------------------------

  arm() {
    this.prepareSound();
    this.eye.reset();
    this.go("armed", "Walk to your place and stand still");
  }

  countDown(seconds, free) {
    this.prepareSound();
    this.go("countdown");
    const tick = (left) => {
      if (left === 0) {
        this.record(free);
        return;
      }
      this.say(String(left));
      this.beep(660);
      this.wait = setTimeout(() => tick(left - 1), 1000);
    };
    tick(seconds);
  }

  record(free) {
    const { maxSeconds, maxBytes } = this.component.data;
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const videoBitsPerSecond = Math.min(MOST_BITS, (0.8 * 8 * maxBytes) / maxSeconds);
    try {
      this.recorder = new MediaRecorder(this.stream, { mimeType, videoBitsPerSecond });
    } catch (error) {
      this.fail(inWords(error));
      return;
    }
    const take = { free, chunks: [], bytes: 0, started: null, firstMotion: null, lastMotion: null };
    this.take = take;
    this.recorder.onstart = () => (take.started = performance.now());
    this.recorder.ondataavailable = ({ data }) => {
      take.chunks.push(data);
      take.bytes += data.size;
      if (take.bytes > FULL * maxBytes) this.finish();
    };
    this.recorder.onerror = ({ error }) => this.fail(inWords(error ?? { name: "an error" }));
    this.recorder.onstop = () => take === this.take && this.show(); // else it was dropped
    this.eye.reset();
    this.recorder.start(SLICE_MS);
    this.beep(990, 0.35);
    this.go("recording");
  }

  // -- while it runs ----------------------------------------------------------------------------

  look() {
    if (this.state === "armed") {
      const moving = this.eye.look();
      if (!this.preview.videoWidth || moving === null) return;
      if (this.eye.stillMs >= STILL_TO_START_MS) this.countDown(COUNT_FROM, true);
    } else if (this.state === "recording" && this.take.started !== null) {
      this.watch();
    }
  }

  watch() {
    const { take } = this;
    const elapsed = performance.now() - take.started;
    this.clock.textContent = `${(elapsed / 1000).toFixed(1)} s`;
    if (this.eye.look()) {
      take.firstMotion ??= Math.max(0, elapsed - LOOK_MS);
      take.lastMotion = elapsed;
    }
    const moved = take.firstMotion !== null && take.lastMotion - take.firstMotion >= LEAST_MOTION_MS;
    const over = take.free && moved && this.eye.stillMs >= STILL_TO_STOP_MS;
    if (over || elapsed >= 1000 * this.component.data.maxSeconds) this.finish();
  }

  finish() {
    if (this.recorder?.state !== "recording") return;
    this.section.dataset.seconds = (performance.now() - this.take.started) / 1000;
    this.recorder.stop();
    this.beep(440, 0.35);
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
    this.review.removeAttribute("src");
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = this.blob = null;
  }

  // -- afterwards -----------------------------------------------------------------------------

  show() {
    this.blob = new Blob(this.take.chunks, { type: this.recorder.mimeType });
    if (this.blob.size === 0) {
      this.cancel();
      this.say("Nothing was recorded. Please try again.");
      return;
    }
    this.url = URL.createObjectURL(this.blob);
    this.review.src = this.url;
    this.review.play().catch(() => {});
    this.go("review");
  }

  async send() {
    const { maxBytes } = this.component.data;
    if (this.blob.size > maxBytes) {
      const most = Math.round(maxBytes / 1e6);
      this.hint.textContent = `The recording is over ${most} MB. Please record a shorter one.`;
      return;
    }
    this.go("sending", "Sending …");
    const { take, blob } = this;
    const video = await base64(blob);
    if (this.gone || this.blob !== blob) return;
    const motion = take.free && take.firstMotion !== null
      ? [take.firstMotion / 1000, take.lastMotion / 1000]
      : null;
    this.component.setTriggerValue("recording", { video, motion });
    this.wait = setTimeout(() => {
      this.go("review");
      this.hint.textContent = "gymform has not answered. Check the connection and send it again.";
    }, SEND_PATIENCE_MS);
  }

  // -- sound ----------------------------------------------------------------------------------

  // Browsers allow sound only after a click.
  prepareSound() {
    const Sound = window.AudioContext ?? window.webkitAudioContext;
    this.sound ??= Sound ? new Sound() : null;
    this.sound?.resume();
  }

  beep(hertz, seconds = 0.15) {
    if (!this.sound) return;
    const tone = new OscillatorNode(this.sound, { frequency: hertz });
    const loudness = new GainNode(this.sound, { gain: 0.2 });
    tone.connect(loudness).connect(this.sound.destination);
    tone.start();
    tone.stop(this.sound.currentTime + seconds);
  }
}

// Sees whether something moves in a video, and for how long nothing has.
class MotionEye {
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
    [this.canvas.width, this.canvas.height] = GREY;
    this.pen = this.canvas.getContext("2d", { willReadFrequently: true });
    this.reset();
  }

  reset() {
    this.before = null;
    this.stillSince = performance.now();
  }

  get stillMs() {
    return performance.now() - this.stillSince;
  }

  // True when something moved since the last look; null for the first one.
  look() {
    this.pen.drawImage(this.video, 0, 0, ...GREY);
    const { data } = this.pen.getImageData(0, 0, ...GREY);
    const grey = new Uint8Array(GREY[0] * GREY[1]);
    for (let i = 0; i < grey.length; i++) {
      grey[i] = (data[4 * i] + 2 * data[4 * i + 1] + data[4 * i + 2]) >> 2;
    }
    const { before } = this;
    this.before = grey;
    if (!before) return null;
    const changed = grey.reduce((n, value, i) => n + (Math.abs(value - before[i]) > CHANGE), 0);
    const moving = changed > MOVING * grey.length;
    if (moving) this.stillSince = performance.now();
    return moving;
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

// A frame-exact player: the clip, the skeleton drawn over it, and both bound to the page.
//
// Streamlit calls the default export again whenever its data changes, with the same element, so
// one Player lives per element. Data: {video, poses, seek: {frame, turn}, repetitions, ratio,
// chart}.
// It tells the page: state `frame` {index, turn} when the picture has come to rest, and trigger
// `pick` {time_s, point, box} when another person was chosen.

const players = new WeakMap();

const REST_MS = 150; // how long the picture rests before the page is told
const BEAT_MS = 500; // how often the line over the chart is put right
const DRAG_PX = 6; // a shorter drag is a click
const INK = "rgba(16, 16, 16, 0.85)"; // as in draw/overlay.py
const PAPER = "#F5F5F5";

export default function (component) {
  const root = component.parentElement;
  const player = players.get(root) ?? new Player(root);
  players.set(root, player);
  const turn = ++player.turn;
  player.update(component);
  return () => {
    // A late clean-up of an earlier call must not take the player from a later one.
    if (player.turn !== turn) return;
    player.destroy();
    players.delete(root);
  };
}

class Player {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.turn = 0;
    this.section = find(".player");
    this.stage = find(".stage");
    this.video = find("video");
    this.canvas = find("canvas");
    this.message = find(".message");
    this.scrubber = find(".scrubber");
    this.clock = find(".clock");
    this.picking = find(".picking");
    this.followButton = find(".follow");
    this.playButton = find(".play");
    this.repetitions = find(".repetitions");
    this.legend = find(".legend");
    this.layers = { clean: true, raw: false, box: true };
    this.pose = null;
    this.frame = 0; // what is on the screen
    this.wanted = null; // where a seek is to end
    this.told = null; // the frame that the page knows
    this.pick = null; // {start, end} px of the picture, while choosing
    this.playhead = new Playhead();
    // Charts come, go, zoom and are resized without telling.
    this.beat = setInterval(() => this.point(), BEAT_MS);
    this.life = new AbortController();
    this.listen(find);
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.stage);
    this.watchFrames();
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

  // -- what the page says ---------------------------------------------------------------------

  update(component) {
    this.component = component;
    const { video, poses, seek, ratio, chart } = component.data;
    const asked = this.seekTurn !== undefined && video === this.videoUrl;
    this.playhead.chart = chart;
    this.stage.style.setProperty("--ratio", ratio);
    if (poses !== this.posesUrl) this.loadPoses(poses);
    if (video !== this.videoUrl) {
      this.videoUrl = video;
      this.video.src = video;
      this.told = this.wanted = null;
    }
    if (seek.turn !== this.seekTurn) {
      this.seekTurn = seek.turn;
      this.video.pause();
      this.goTo(seek.frame);
      this.told = seek.frame;
      // whoever asked for a moment from far below wants to see it
      if (asked) this.stage.scrollIntoView({ block: "nearest", behavior: "smooth" });
    }
    this.draw();
  }

  async loadPoses(url) {
    this.posesUrl = url;
    this.pose = null;
    try {
      const answer = await fetch(url, { signal: this.life.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      const pose = await answer.json();
      if (url !== this.posesUrl) return;
      this.pose = pose;
      this.scrubber.max = pose.times.length - 1;
      this.scrubber.disabled = false;
      this.showRepetitions();
      this.showLegend();
      this.goTo(this.wanted ?? this.frame);
      this.ready();
    } catch (error) {
      if (error.name !== "AbortError") this.say("The keypoints could not be loaded. Reload the page.");
    }
  }

  showRepetitions() {
    const end = this.pose.times.at(-1) || 1;
    this.repetitions.replaceChildren(
      ...this.component.data.repetitions.map(([from, to]) => {
        const mark = document.createElement("i");
        mark.style.left = `${(100 * from) / end}%`;
        mark.style.width = `${(100 * (to - from)) / end}%`;
        return mark;
      }),
    );
  }

  // Which colour is which side of the body.
  showLegend() {
    this.legend.replaceChildren(
      ...Object.entries(this.pose.sides).map(([side, colour]) => {
        const mark = document.createElement("span");
        mark.style.setProperty("--colour", colour);
        mark.textContent = side;
        return mark;
      }),
    );
  }

  ready() {
    if (this.pose && this.video.readyState >= 2) this.message.hidden = true;
  }

  say(text) {
    this.message.textContent = text;
    this.message.hidden = false;
  }

  // -- what the user does ---------------------------------------------------------------------

  listen(find) {
    const on = (target, event, action) =>
      target.addEventListener(event, action, { signal: this.life.signal });
    on(find(".back"), "click", () => this.step(-1));
    on(find(".forward"), "click", () => this.step(1));
    on(this.playButton, "click", () => this.playOrPause());
    on(find(".speed"), "change", (event) => (this.video.playbackRate = Number(event.target.value)));
    on(this.scrubber, "input", () => {
      this.video.pause();
      this.goTo(Number(this.scrubber.value));
    });
    for (const toggle of this.section.querySelectorAll(".toggle")) {
      on(toggle, "click", () => this.toggle(toggle));
    }
    on(find(".pick"), "click", () => (this.pick ? this.stopChoosing() : this.startChoosing()));
    on(find(".keep"), "click", () => this.stopChoosing());
    on(this.followButton, "click", () => this.follow());
    on(this.canvas, "pointerdown", (event) => this.pointerDown(event));
    on(this.canvas, "pointermove", (event) => this.pointerMove(event));
    on(this.canvas, "pointerup", (event) => this.pointerUp(event));
    on(this.section, "keydown", (event) => this.key(event));
    on(this.video, "canplay", () => this.ready());
    on(this.video, "loadedmetadata", () => this.goTo(this.wanted ?? this.frame));
    on(this.video, "seeked", () => this.settle());
    on(this.video, "play", () => this.playing(true));
    on(this.video, "pause", () => this.playing(false));
    on(this.video, "error", () => this.say("This browser cannot play the clip. Download the annotated video below."));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inControl = event.target.matches("select");
    const onButton = event.target.matches("button");
    const actions = {
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      Home: () => this.jump(0),
      End: () => this.jump(Infinity),
      Escape: () => this.stopChoosing(),
      " ": () => this.playOrPause(),
    };
    const action = actions[event.key];
    if (!action || inControl || (onButton && event.key === " ")) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  toggle(button) {
    const layer = button.dataset.layer;
    this.layers[layer] = !this.layers[layer];
    button.setAttribute("aria-pressed", String(this.layers[layer]));
    this.draw();
  }

  step(frames) {
    this.jump((this.wanted ?? this.frame) + frames);
  }

  jump(frame) {
    this.video.pause();
    this.goTo(frame);
  }

  playOrPause() {
    if (!this.video.paused) {
      this.video.pause();
      return;
    }
    this.stopChoosing();
    if (this.pose && this.frame >= this.pose.times.length - 1) this.video.currentTime = 0;
    this.video.play().catch(() => this.say("The clip cannot be played."));
  }

  playing(yes) {
    this.section.classList.toggle("playing", yes);
    this.playButton.setAttribute("aria-label", yes ? "Pause" : "Play");
    if (!yes) this.tellLater();
  }

  // -- which frame ----------------------------------------------------------------------------

  // Show a frame. While a seek is under way only the last wish is remembered.
  goTo(frame) {
    if (!this.pose) {
      this.wanted = frame;
      return;
    }
    this.wanted = Math.min(Math.max(frame, 0), this.pose.times.length - 1);
    this.moveScrubber(this.wanted);
    if (!this.video.seeking && this.video.readyState >= 1) this.seekNow();
  }

  // The middle of a frame's time on screen: at its edge, rounding could show the neighbour.
  seekNow() {
    const { times } = this.pose;
    const i = (this.aimed = this.wanted);
    const last = times.length - 1;
    const gap = last === 0 ? 0 : i < last ? times[i + 1] - times[i] : times[last] - times[last - 1];
    const time = Math.max(0, Math.min(times[i] + gap / 2, this.video.duration - 1e-4));
    if (Math.abs(this.video.currentTime - time) < 1e-6) this.settle();
    else this.video.currentTime = time;
  }

  // A seek has ended: go on to a newer wish, or come to rest.
  settle() {
    if (!this.pose || this.wanted === null) return;
    if (this.wanted !== this.aimed) {
      this.seekNow();
      return;
    }
    this.show(this.wanted);
    this.wanted = null;
    this.tellLater();
  }

  // The browser says which frame it has put on the screen, by its own time stamp.
  watchFrames() {
    if (!this.video.requestVideoFrameCallback) {
      const poll = () => {
        if (this.life.signal.aborted) return;
        if (!this.video.paused) this.show(this.frameAt(this.video.currentTime));
        requestAnimationFrame(poll);
      };
      poll();
      return;
    }
    const presented = (_, { mediaTime }) => {
      if (this.life.signal.aborted) return;
      if (this.wanted === null) this.show(this.frameAt(mediaTime + 1e-4));
      this.video.requestVideoFrameCallback(presented);
    };
    this.video.requestVideoFrameCallback(presented);
  }

  // Index of the last frame whose time has come.
  frameAt(time) {
    if (!this.pose) return 0;
    const { times } = this.pose;
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  show(frame) {
    this.frame = frame;
    this.moveScrubber(frame);
    this.point();
    this.draw();
  }

  moveScrubber(frame) {
    this.scrubber.value = frame;
    this.scrubber.style.setProperty("--done", `${(100 * frame) / (this.scrubber.max || 1)}%`);
  }

  point() {
    if (this.pose) this.playhead.show(this.pose.times[this.frame]);
  }

  tellLater() {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      if (!this.video.paused || this.wanted !== null || this.told === this.frame) return;
      this.told = this.frame;
      this.component.setStateValue("frame", { index: this.frame, turn: Date.now() });
    }, REST_MS);
  }

  // -- another person -------------------------------------------------------------------------

  startChoosing() {
    if (!this.pose) return;
    this.video.pause();
    this.pick = { start: null, end: null };
    this.stage.classList.add("choosing");
    this.picking.hidden = false;
    this.followButton.disabled = true;
    this.draw();
  }

  stopChoosing() {
    this.pick = null;
    this.stage.classList.remove("choosing");
    this.picking.hidden = true;
    this.draw();
  }

  pointerDown(event) {
    this.section.focus({ preventScroll: true });
    if (!this.pick) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pick = { start: this.inPicture(event), end: this.inPicture(event), down: true };
    this.draw();
  }

  pointerMove(event) {
    if (!this.pick?.down) return;
    this.pick.end = this.inPicture(event);
    this.draw();
  }

  pointerUp() {
    if (!this.pick) {
      this.playOrPause();
      return;
    }
    this.pick.down = false;
    this.followButton.disabled = false;
    this.followButton.focus();
  }

  // The pointer in px of the source picture; the centre of its first pixel is (0, 0).
  inPicture(event) {
    const area = this.canvas.getBoundingClientRect();
    const place = (at, from, length, pixels) =>
      Math.min(Math.max(((at - from) / length) * pixels - 0.5, 0), pixels - 1);
    return [
      place(event.clientX, area.left, area.width, this.pose.width),
      place(event.clientY, area.top, area.height, this.pose.height),
    ];
  }

  // The box that was dragged, x, y, width, height px; null for a click.
  dragged() {
    const { start, end } = this.pick;
    const [x, y] = [Math.min(start[0], end[0]), Math.min(start[1], end[1])];
    const [width, height] = [Math.abs(start[0] - end[0]), Math.abs(start[1] - end[1])];
    const least = (DRAG_PX * this.pose.width) / this.canvas.clientWidth;
    return width > least && height > least ? [x, y, width, height] : null;
  }

  follow() {
    const box = this.dragged();
    this.component.setTriggerValue("pick", {
      time_s: this.pose.times[this.frame],
      point: box ? null : this.pick.start,
      box,
    });
    this.stopChoosing();
  }

  // -- drawing --------------------------------------------------------------------------------

  draw() {
    const { canvas, stage, pose } = this;
    const sharp = window.devicePixelRatio || 1;
    const [width, height] = [stage.clientWidth * sharp, stage.clientHeight * sharp].map(Math.round);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!pose || !width) return;
    const scale = width / pose.width;
    const line = Math.max(2, Math.hypot(width, height) / 270);
    const at = ([x, y]) => [(x + 0.5) * scale, (y + 0.5) * scale];
    if (this.layers.box) drawBox(pen, pose.boxes[this.frame], at, line);
    if (this.layers.raw) drawSkeleton(pen, pose, "raw", this.frame, at, line * 0.5);
    if (this.layers.clean) drawSkeleton(pen, pose, "clean", this.frame, at, line);
    if (this.pick?.start) this.drawPick(pen, at, line);
    this.describe();
  }

  drawPick(pen, at, line) {
    const box = this.dragged();
    pen.strokeStyle = PAPER;
    pen.lineWidth = line;
    pen.beginPath();
    if (box) {
      const [x, y] = at(box);
      const [right, bottom] = at([box[0] + box[2], box[1] + box[3]]);
      pen.rect(x, y, right - x, bottom - y);
    } else {
      pen.arc(...at(this.pick.start), 5 * line, 0, 2 * Math.PI);
    }
    outlined(pen, line);
  }

  describe() {
    const { times } = this.pose;
    const place = `frame ${this.frame + 1} of ${times.length}`;
    const seconds = times[this.frame].toFixed(2);
    this.clock.value = `${seconds} s · ${place}`;
    this.section.dataset.frame = this.frame;
    this.scrubber.setAttribute("aria-valuetext", `${place}, ${seconds} seconds`);
    const seen = this.pose.score[this.frame].filter((score) => score >= this.pose.sure).length;
    this.canvas.setAttribute(
      "aria-label",
      `The clip at ${seconds} seconds, ${place}; ${seen} of ${this.pose.names.length} joints seen clearly.`,
    );
  }
}

// A line over the page's chart at the picture's time. It asks Plotly's layout where a time lies; a
// chart that is not as expected simply gets no line. Drawn here and not by the page, because
// Streamlit builds a chart anew whenever anything in it has changed.
class Playhead {
  show(time) {
    const plot = this.chart && document.querySelector(`.st-key-${this.chart} .js-plotly-plot`);
    const layout = plot?._fullLayout;
    if (!layout?.xaxis?.l2p || !layout._size) return;
    this.line ??= document.createElement("div");
    this.line.className = "gymform-playhead";
    this.line.dataset.time = time;
    Object.assign(this.line.style, {
      position: "absolute",
      width: "1.5px",
      left: `${layout._size.l + layout.xaxis.l2p(time)}px`,
      top: `${layout._size.t}px`,
      height: `${layout._size.h}px`,
      background: "#8A8F98",
      pointerEvents: "none",
      display: time >= layout.xaxis.range[0] && time <= layout.xaxis.range[1] ? "" : "none",
    });
    if (this.line.parentElement !== plot) plot.append(this.line);
  }

  hide() {
    this.line?.remove();
  }
}

function outlined(pen, line) {
  const { strokeStyle, lineWidth } = pen;
  pen.strokeStyle = INK;
  pen.lineWidth = lineWidth + Math.max(2, (2 * line) / 3);
  pen.stroke();
  pen.strokeStyle = strokeStyle;
  pen.lineWidth = lineWidth;
  pen.stroke();
}

function drawBox(pen, box, at, line) {
  if (!box) return;
  const [left, top] = at(box);
  const [right, bottom] = at(box.slice(2));
  const thin = Math.max(1, line / 3);
  pen.lineWidth = thin;
  pen.strokeStyle = INK;
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.setLineDash([4 * line, 4 * line]);
  pen.strokeStyle = PAPER;
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.setLineDash([]);
}

// Outlines first, then colours, so that no outline cuts through a limb; unsure is thin and hollow.
function drawSkeleton(pen, pose, layer, frame, at, line) {
  const points = pose[layer][frame];
  const score = pose.score[frame];
  // A cleaned point may fill a gap that the network left: drawn as unsure.
  const drawn = points.map((point, k) => point && (layer === "clean" || score[k] >= pose.least));
  const sure = score.map((value) => value >= pose.sure);
  const rim = Math.max(1, line / 3);
  const radius = line * 1.1 + 1;
  pen.lineCap = "round";
  for (const outline of [true, false]) {
    for (const [a, b, colour] of pose.edges) {
      if (!drawn[a] || !drawn[b]) continue;
      const width = sure[a] && sure[b] ? line : Math.max(1, line / 3);
      pen.strokeStyle = outline ? INK : colour;
      pen.lineWidth = outline ? width + 2 * rim : width;
      pen.beginPath();
      pen.moveTo(...at(points[a]));
      pen.lineTo(...at(points[b]));
      pen.stroke();
    }
    points.forEach((point, k) => {
      if (!drawn[k]) return;
      pen.beginPath();
      pen.arc(...at(point), radius + (outline ? rim : 0), 0, 2 * Math.PI);
      pen.fillStyle = outline ? INK : pose.colours[k];
      pen.strokeStyle = outline ? INK : pose.colours[k];
      pen.lineWidth = rim + (outline ? 2 : 0);
      if (sure[k]) pen.fill();
      else pen.stroke();
    });
  }
}

// The review desk in the browser: player, trajectories, timeline, decisions.
//
// It moves on the moment a key is pressed: the next clips are loaded already. What was decided goes
// to the page as the state `work` {desk, tour, client, at, decisions, beat}: all decisions that were not
// answered yet, again and again until they are. Only an answer makes a decision "saved".
//
// Data: {desk, tour, dataset, reviewer, cards, current, coming, left, counts, answers, news, reasons, exercises}.
// Streamlit calls the default export again whenever its data changes, with the same element, so
// one Reviewer lives per element.

const reviewers = new WeakMap();

const AGAIN_MS = 4000; // after so long without an answer a message is sent again
const SEEK_S = 0.5;
const SHORTEST_S = 0.1; // a repetition is not shorter
const AHEAD = 2; // clips loaded before they are asked for
const LOGGED = 4;
const KEPT = "gymform-review"; // what is unanswered, kept by the tab
const DASHES = ["", "6 4", "2 3"];
const DONE = { accepted: "Accepted", rejected: "Rejected", skipped: "Skipped", pending: "Set back" };

export default function (component) {
  const root = component.parentElement;
  const reviewer = reviewers.get(root) ?? new Reviewer(root);
  reviewers.set(root, reviewer);
  const turn = ++reviewer.turn;
  reviewer.update(component);
  return () => {
    // A late clean-up of an earlier call must not take the widget from a later one.
    if (reviewer.turn !== turn) return;
    reviewer.destroy();
    reviewers.delete(root);
  };
}

class Reviewer {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.section = this.find(".reviewer");
    this.turn = 0;
    this.client = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.seq = 0;
    this.outbox = []; // decisions that nobody has answered
    this.log = []; // the latest decisions, answered or not
    this.notices = []; // what the reviewer has to be told
    this.cards = new Map();
    this.current = undefined; // id; null when all is done, undefined before the first
    this.coming = [];
    this.decided = new Map(); // id -> what was answered or hoped for, to pass them over
    this.pool = new Pool(this.find(".videos"), (video) => this.wire(video));
    this.traces = new Map();
    this.speed = 1;
    this.whole = false;
    this.life = new AbortController();
    this.listen();
    this.beat = setInterval(() => this.sendAgain(), AGAIN_MS);
  }

  destroy() {
    this.life.abort();
    clearInterval(this.beat);
    this.pool.empty();
  }

  get card() {
    return this.cards.get(this.current);
  }

  get video() {
    return this.pool.shown;
  }

  // -- what the page says ---------------------------------------------------------------------

  update(component) {
    this.component = component;
    const { data } = component;
    const first = !this.data;
    if (data.desk !== this.desk) this.meet();
    this.desk = data.desk;
    this.data = data;
    if (data.tour !== this.tour) this.begin(data.tour);
    if (first) this.recall();
    for (const answer of data.answers) this.hear(answer);
    for (const card of data.cards) this.learn(card);
    this.showChoices();
    this.showCounts();
    this.queue();
    this.tellNews();
    if (this.undone && this.cards.has(this.undone)) {
      const id = this.undone;
      this.undone = null;
      this.visitAgain(id);
    } else if (this.current === undefined || (this.current === null && this.coming.length)) {
      this.visit(this.coming.shift() ?? null);
    } else {
      this.showCard();
      this.preload();
    }
    document.cookie = `gymform_reviewer=${encodeURIComponent(data.reviewer)}; path=/; max-age=31536000; SameSite=Lax`;
  }

  // Another filter or data set: from its first clip on. What is on its way stays on its way.
  begin(tour) {
    this.tour = tour;
    this.current = undefined;
    this.coming = [];
    this.decided.clear();
    this.cards.clear();
    this.oldNews = [];
  }

  // Another server process than before: what it has not answered is sent again, but no undo, which
  // might take back a second decision.
  meet() {
    if (this.desk === undefined || !this.outbox.length) return;
    const lost = this.outbox.filter((wish) => wish.kind === "undo");
    this.outbox = this.outbox.filter((wish) => wish.kind !== "undo");
    for (const wish of lost) this.note(wish.seq, "refused", "not undone: the connection was lost");
    queueMicrotask(() => this.send());
  }

  // The page was built anew, or reloaded, before everything was answered: send that again. What was
  // written after all is recognised; an undo is not repeated, it might take back a second decision.
  recall() {
    const kept = this.kept();
    if (kept?.reviewer !== this.data.reviewer || kept.dataset !== this.data.dataset) return;
    for (const wish of kept.outbox.filter(({ kind }) => kind !== "undo")) {
      if (wish.kind === "verdict") this.decided.set(wish.item, wish.verdict);
      this.push(wish);
    }
  }

  kept() {
    try {
      return JSON.parse(sessionStorage.getItem(KEPT));
    } catch {
      return null; // a browser that keeps nothing
    }
  }

  keep() {
    const { reviewer, dataset } = this.data;
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({ reviewer, dataset, outbox: this.outbox }));
    } catch {
      // then a reload asks before it leaves, see `beforeunload`
    }
  }

  learn(card) {
    const known = this.cards.get(card.id);
    const waiting = this.outbox.some((wish) => wish.item === card.id);
    if (known && waiting) return; // what is on its way counts here
    if (known && card.id === this.current && known.revision !== card.revision) {
      this.tellChange(known, card);
    }
    card.trace = known?.trace;
    this.cards.set(card.id, card);
  }

  // Somebody else decided about the clip on the screen.
  tellChange(known, card) {
    if (!card.reviewer || card.reviewer === this.data.reviewer || known.verdict === card.verdict) return;
    this.tell({
      item: card.id,
      text: `${card.reviewer} has just ${card.verdict} this clip. What you decide replaces it.`,
      choices: [["Go on to the next", () => this.next()], ["Stay", () => {}]],
    });
  }

  hear(answer) {
    if (answer.client !== this.client) return;
    const wish = this.outbox.find(({ seq }) => seq === answer.seq);
    if (!wish) return;
    this.outbox = this.outbox.filter((one) => one !== wish);
    this.keep();
    this.note(wish.seq, answer.state, answer.text);
    this.decided.delete(wish.item);
    if (answer.state === "saved") {
      if (wish.kind !== "undo") return;
      this.undone = answer.item_id;
      if (!this.data.cards.some(({ id }) => id === answer.item_id)) this.send(answer.item_id);
      return;
    }
    if (answer.state === "conflict") this.tellConflict(wish, answer);
    else this.tellRefusal(wish, answer);
  }

  tellConflict(wish, answer) {
    this.tell({
      item: wish.item,
      text: answer.text,
      choices: [
        ["Look at it again", () => this.visitAgain(wish.item)],
        ["Keep theirs", () => {}],
        ["Use mine", () => this.push({ ...wish, revision: answer.revision })],
      ],
    });
  }

  tellRefusal(wish, answer) {
    const again = wish.kind === "undo" ? [] : [["Try again", () => this.push(wish)]];
    this.tell({ item: wish.item, text: `Not saved. ${answer.text}`, choices: [...again, ["Close", () => {}]] });
  }

  // Ids to come: what the page says, from the clip on the screen on, without what is decided.
  queue() {
    const all = [this.data.current, ...this.data.coming].filter(Boolean);
    const place = all.indexOf(this.current);
    const rest = place >= 0 ? all.slice(place + 1) : all;
    this.coming = rest.filter((id) => id !== this.current && !this.decided.has(id));
  }

  // -- decisions ------------------------------------------------------------------------------

  push(wish) {
    const full = { ...wish, seq: ++this.seq };
    this.outbox.push(full);
    this.keep();
    this.log.push({ seq: full.seq, item: wish.item, text: this.describe(wish), state: "saving" });
    this.log = this.log.slice(-LOGGED);
    this.showLog();
    this.send();
  }

  describe(wish) {
    const name = this.cards.get(wish.item)?.name ?? "";
    if (wish.kind === "undo") return "Undo";
    if (wish.kind === "relabel") return `${name}: ${wish.exercise}`;
    if (wish.kind === "trim") return `${name}: ${wish.start_s.toFixed(2)} – ${wish.end_s.toFixed(2)} s`;
    return `${DONE[wish.verdict]} ${name}`;
  }

  send(at = this.current) {
    clearTimeout(this.placing);
    this.sentAt = performance.now();
    this.component.setStateValue("work", {
      desk: this.desk,
      tour: this.tour,
      client: this.client,
      at: at === undefined ? null : (at ?? ""),
      decisions: this.outbox,
      beat: Date.now(),
    });
  }

  sendAgain() {
    if (this.outbox.length && performance.now() - this.sentAt > AGAIN_MS) this.send();
  }

  decide(verdict, reasons = [], comment = "") {
    const { card } = this;
    if (!card) return;
    this.closeWhy();
    this.decided.set(card.id, verdict);
    const wish = { kind: "verdict", item: card.id, revision: card.revision, verdict, reasons, comment };
    this.dropNotices(card.id);
    this.next();
    this.push(wish);
  }

  undo() {
    this.closeWhy();
    this.push({ kind: "undo", item: null });
  }

  relabel() {
    const { card } = this;
    const input = this.find(".label");
    const exercise = input.value.trim();
    if (!card || !exercise || exercise === card.exercise) {
      input.value = card?.exercise ?? "";
      return;
    }
    card.exercise = exercise;
    this.push({ kind: "relabel", item: card.id, revision: card.revision, exercise });
    this.showCard();
  }

  trim() {
    const { card } = this;
    this.push({
      kind: "trim",
      item: card.id,
      revision: card.revision,
      start_s: card.start,
      end_s: card.end,
    });
  }

  openWhy() {
    if (!this.card) return;
    this.find(".decide").hidden = true;
    this.find(".why").hidden = false;
    this.find(".comment").value = "";
    for (const pill of this.pills()) pill.setAttribute("aria-pressed", "false");
    this.allowReject();
    this.find(".why").focus({ preventScroll: true });
    this.find(".why").scrollIntoView({ block: "nearest" });
  }

  closeWhy() {
    if (this.find(".why").hidden) return;
    this.find(".why").hidden = true;
    this.find(".decide").hidden = false;
    this.section.focus({ preventScroll: true });
  }

  pills() {
    return [...this.find(".reasons").children];
  }

  chosen() {
    return this.pills()
      .filter((pill) => pill.getAttribute("aria-pressed") === "true")
      .map((pill) => pill.dataset.reason);
  }

  toggleReason(pill) {
    pill.setAttribute("aria-pressed", String(pill.getAttribute("aria-pressed") !== "true"));
    this.allowReject();
  }

  allowReject() {
    this.find(".confirm").disabled = !this.chosen().length;
  }

  reject() {
    const reasons = this.chosen();
    if (reasons.length) this.decide("rejected", reasons, this.find(".comment").value.trim());
  }

  // -- from clip to clip ----------------------------------------------------------------------

  next() {
    this.visit(this.coming.shift() ?? null);
  }

  visit(id) {
    if (this.current && this.current !== id) this.previous = this.current; // stays loaded, for undo
    this.current = id;
    this.coming = this.coming.filter((one) => one !== id);
    this.closeWhy();
    this.find(".desk").hidden = this.find(".decide").hidden = !id;
    this.find(".finished").hidden = Boolean(id);
    this.find(".undo").disabled = false;
    if (id && !this.cards.has(id)) {
      // Faster than the server: it is asked, and the clip shown when it comes.
      this.current = undefined;
      this.send(id);
      return;
    }
    if (id) {
      this.section.dataset.wanted = id;
      this.pool.show(this.card);
      this.play();
      this.watch();
      this.markWhenPainted(id);
    } else {
      this.pool.show(null);
    }
    this.showCard();
    this.preload();
    if (id && this.data.current !== id) this.tellPlace();
  }

  // Back to a clip; the one that was on the screen comes after it.
  visitAgain(id) {
    if (this.current && this.current !== id) this.coming.unshift(this.current);
    this.visit(id);
  }

  // The page learns where the reviewer is, so that it can get the next clips ready.
  tellPlace() {
    clearTimeout(this.placing);
    this.placing = setTimeout(() => this.data.current !== this.current && this.send(), 50);
  }

  preload() {
    const soon = this.coming.slice(0, AHEAD).map((id) => this.cards.get(id)).filter(Boolean);
    for (const card of soon) {
      this.pool.get(card);
      this.loadTraces(card);
    }
    this.pool.keep([this.previous, this.current, ...soon.map(({ id }) => id)]);
  }

  // For measuring: `data-shown` is the clip whose picture is on the screen.
  markWhenPainted(id) {
    const { video } = this;
    const mark = () =>
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          if (this.current === id) this.section.dataset.shown = id;
        }),
      );
    if (video.readyState >= 2 && !video.seeking) mark();
    else video.addEventListener("seeked", mark, { once: true, signal: this.life.signal });
  }

  async loadTraces(card) {
    if (!card.traces) return null;
    if (!this.traces.has(card.traces)) {
      const load = fetch(card.traces)
        .then((answer) => (answer.ok ? answer.json() : null))
        .catch(() => null);
      this.traces.set(card.traces, load);
      load.then((trace) => {
        card.trace = trace;
        if (!trace) this.traces.delete(card.traces);
      });
      if (this.traces.size > 12) this.traces.delete(this.traces.keys().next().value);
    }
    card.trace = await this.traces.get(card.traces);
    return card.trace;
  }

  // -- the picture ----------------------------------------------------------------------------

  wire(video) {
    const on = (event, action) => video.addEventListener(event, action, { signal: this.life.signal });
    on("seeked", () => this.settle(video));
    on("loadeddata", () => {
      video.ready = true; // it stays so: seeking, too, is a moment without data
      this.showMessage();
    });
    on("error", () => this.showMessage());
    on("play", () => this.showPlaying());
    on("pause", () => this.showPlaying());
  }

  showMessage() {
    const { card, video } = this;
    const message = this.find(".message");
    if (!card || !video) return;
    let text = "";
    if (card.failed) text = `The keypoints could not be found. ${card.failed}`;
    else if (!card.video) text = "No picture yet: the keypoints of this clip have not been extracted.";
    else if (video.error) text = "This browser cannot play the clip.";
    else if (!video.ready) text = "Loading the clip …";
    message.textContent = text;
    message.hidden = !text;
  }

  showPlaying() {
    const yes = Boolean(this.video && !this.video.paused);
    this.section.classList.toggle("playing", yes);
    this.find(".play").setAttribute("aria-label", yes ? "Pause" : "Play");
  }

  play() {
    const { video } = this;
    if (!video) return;
    this.wanted = null;
    video.playbackRate = this.speed;
    video.play().catch(() => this.showPlaying());
    this.showMessage();
  }

  playOrPause() {
    if (!this.video) return;
    if (this.video.paused) this.play();
    else this.video.pause();
  }

  // Seconds between which the clip loops.
  bounds() {
    const { card } = this;
    return this.whole || !card ? [0, Infinity] : [card.start, card.end];
  }

  // Follow the pictures of the clip on the screen: playhead, clock, loop.
  watch() {
    const { video } = this;
    if (video.watched) return;
    video.watched = true;
    const tick = (time) => {
      if (this.life.signal.aborted || video.gone) return;
      if (video === this.video) this.tick(time);
      this.after(video, tick);
    };
    this.after(video, tick);
  }

  after(video, action) {
    if (video.requestVideoFrameCallback) {
      video.requestVideoFrameCallback((_, { mediaTime }) => action(mediaTime));
    } else requestAnimationFrame(() => action(video.currentTime));
  }

  tick(time) {
    const [start, end] = this.bounds();
    const { video } = this;
    if (!video.paused && !video.seeking && !this.dragging) {
      const slack = this.frameGap() / 2;
      if (time > end - slack || time < start - 0.1) video.currentTime = start;
    }
    this.showTime(time);
  }

  frameGap() {
    return 1 / (this.card?.fps || 30);
  }

  times() {
    const { card } = this;
    if (card?.trace) return card.trace.times;
    const count = Math.max(1, Math.round(card.duration * (card.fps || 30)));
    return Array.from({ length: count }, (_, i) => i * this.frameGap());
  }

  frameAt(time) {
    const times = this.times();
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= time + 1e-4) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // The middle of a frame's time on screen: at its edge, rounding could show the neighbour.
  goToFrame(frame) {
    const times = this.times();
    const i = Math.min(Math.max(frame, 0), times.length - 1);
    const gap = i + 1 < times.length ? times[i + 1] - times[i] : this.frameGap();
    this.video.pause();
    this.frame = i;
    this.goTo(times[i] + gap / 2);
  }

  goTo(time) {
    const { video } = this;
    const end = Number.isFinite(video.duration) ? video.duration - 1e-3 : time;
    this.wanted = Math.max(0, Math.min(time, end));
    this.showTime(this.wanted);
    if (!video.seeking) video.currentTime = this.wanted;
    this.aimed = this.wanted;
  }

  // A seek has ended: go on to a newer wish.
  settle(video) {
    if (video !== this.video || this.wanted === null || this.wanted === undefined) return;
    if (Math.abs(video.currentTime - this.wanted) > 1e-3) video.currentTime = this.wanted;
    else this.wanted = null;
  }

  here() {
    return this.wanted ?? this.video?.currentTime ?? 0;
  }

  step(frames) {
    if (this.video) this.goToFrame(this.frameAt(this.here()) + frames);
  }

  seek(seconds) {
    if (this.video) this.goToFrame(this.frameAt(this.here() + seconds));
  }

  setSpeed(value) {
    this.speed = value;
    if (this.video) this.video.playbackRate = value;
  }

  // -- the timeline ---------------------------------------------------------------------------

  // The pointer's time, s, at the beginning of the frame that it points to.
  timeAt(event) {
    const area = this.find(".chart").getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - area.left) / area.width, 0), 1);
    return share * this.card.duration;
  }

  grab(event) {
    if (!this.card || event.button > 0) return;
    const chart = this.find(".chart");
    const handle = event.composedPath().find((one) => one.classList?.contains("handle"));
    this.dragging = handle ? (handle.classList.contains("start") ? "start" : "end") : "place";
    this.before = [this.card.start, this.card.end];
    this.playedOn = !this.video.paused;
    chart.setPointerCapture(event.pointerId);
    event.preventDefault();
    this.drag(event);
  }

  drag(event) {
    if (!this.dragging) return;
    const time = this.timeAt(event);
    if (this.dragging === "place") this.goToFrame(this.frameAt(time));
    else this.moveBound(this.dragging, time);
  }

  // Move one end of the repetition to a frame, and show that frame.
  moveBound(which, time) {
    const { card } = this;
    const snapped = this.times()[this.frameAt(time)];
    if (which === "start") card.start = Math.max(0, Math.min(snapped, card.end - SHORTEST_S));
    else card.end = Math.min(card.duration, Math.max(time >= card.duration ? time : snapped, card.start + SHORTEST_S));
    this.showBounds();
    this.goToFrame(this.frameAt(which === "start" ? card.start : card.end));
  }

  drop() {
    if (!this.dragging) return;
    const moved = this.dragging !== "place";
    this.dragging = null;
    if (!moved) return;
    const [start, end] = this.before;
    if (this.card.start !== start || this.card.end !== end) this.trim();
    if (this.playedOn) this.play();
  }

  nudge(which, frames) {
    const { card } = this;
    const times = this.times();
    const from = this.frameAt(which === "start" ? card.start : card.end);
    const to = Math.min(Math.max(from + frames, 0), times.length - 1);
    this.moveBound(which, frames > 0 && to === from ? card.duration : times[to]);
    clearTimeout(this.nudging);
    this.nudging = setTimeout(() => this.card === card && this.trim(), 400);
  }

  setBound(which) {
    if (!this.card) return;
    const [start, end] = [this.card.start, this.card.end];
    this.moveBound(which, this.here());
    if (this.card.start !== start || this.card.end !== end) this.trim();
  }

  // -- keys and buttons -----------------------------------------------------------------------

  listen() {
    const on = (target, event, action) =>
      target.addEventListener(event, action, { signal: this.life.signal });
    const click = (selector, action) => on(this.find(selector), "click", action);
    click(".accept", () => this.decide("accepted"));
    click(".reject", () => this.openWhy());
    click(".skip", () => this.decide("skipped"));
    click(".undo", () => this.undo());
    click(".confirm", () => this.reject());
    click(".cancel", () => this.closeWhy());
    click(".back", () => this.step(-1));
    click(".forward", () => this.step(1));
    click(".play", () => this.playOrPause());
    click(".videos", () => this.playOrPause());
    click(".whole", () => this.toggleWhole());
    on(this.find(".speed"), "change", (event) => {
      this.setSpeed(Number(event.target.value));
      event.target.blur();
    });
    on(this.find(".quantity"), "change", (event) => {
      this.draw();
      event.target.blur();
    });
    on(this.find(".label"), "change", () => this.relabel());
    const chart = this.find(".chart");
    on(chart, "pointerdown", (event) => this.grab(event));
    on(chart, "pointermove", (event) => this.drag(event));
    on(chart, "pointerup", () => this.drop());
    on(chart, "pointercancel", () => this.drop());
    on(window, "keydown", (event) => this.key(event));
    on(window, "beforeunload", (event) => this.outbox.length && event.preventDefault());
  }

  toggleWhole() {
    this.whole = !this.whole;
    this.find(".whole").setAttribute("aria-pressed", String(this.whole));
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.section.getClientRects().length || document.querySelector("[role=dialog]")) return;
    const target = event.composedPath()[0];
    const asking = !this.find(".why").hidden;
    const action = isField(target) ? this.fieldKey(event, target) : asking ? this.whyKey(event) : this.deskKey(event, target);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  // In a text box of ours Enter and Escape mean something; everything else is text.
  fieldKey(event, target) {
    if (target === this.find(".comment")) {
      return { Enter: () => this.reject(), Escape: () => this.closeWhy() }[event.key];
    }
    if (target === this.find(".label") && (event.key === "Enter" || event.key === "Escape")) {
      if (event.key === "Escape") target.value = this.card?.exercise ?? "";
      return () => target.blur();
    }
    return null;
  }

  whyKey(event) {
    const pill = this.pills()[Number(event.key) - 1];
    if (pill) return () => this.toggleReason(pill);
    if (event.key === "Escape") return () => this.closeWhy();
    const onButton = event.composedPath()[0].matches?.("button");
    return event.key === "Enter" && !onButton ? () => this.reject() : null;
  }

  deskKey(event, target) {
    const bound = target.classList?.contains("handle") && (target.classList.contains("start") ? "start" : "end");
    const frames = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (frames) {
      if (bound) return () => this.nudge(bound, frames * (event.shiftKey ? 5 : 1));
      return event.shiftKey ? () => this.seek(frames * SEEK_S) : () => this.step(frames);
    }
    if (event.repeat) return null; // a key held down is no row of decisions
    const onButton = target.matches?.("button, summary, a");
    const actions = {
      a: () => this.decide("accepted"),
      x: () => this.openWhy(),
      s: () => this.decide("skipped"),
      z: () => this.undo(),
      "[": () => this.setBound("start"),
      "]": () => this.setBound("end"),
      Home: () => this.goToFrame(this.frameAt(this.card.start)),
      End: () => this.goToFrame(this.frameAt(this.card.end)),
      ...(onButton ? {} : { " ": () => this.playOrPause() }),
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    return this.card || event.key.toLowerCase() === "z" ? action : null;
  }

  // -- what is shown --------------------------------------------------------------------------

  showChoices() {
    const { reasons, exercises } = this.data;
    const box = this.find(".reasons");
    if (box.children.length !== reasons.length) {
      box.replaceChildren(
        ...reasons.map((reason, i) => {
          const pill = made("button", "pill", reason);
          Object.assign(pill, { type: "button" });
          pill.dataset.reason = reason;
          pill.prepend(made("kbd", "", String(i + 1)));
          pill.setAttribute("aria-pressed", "false");
          pill.addEventListener("click", () => this.toggleReason(pill));
          return pill;
        }),
      );
    }
    const list = this.find("datalist");
    if ([...list.children].map(({ value }) => value).join() !== exercises.join()) {
      list.replaceChildren(...exercises.map((name) => Object.assign(made("option"), { value: name })));
    }
  }

  showCounts() {
    const { counts } = this.data;
    const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
    const shown = ["accepted", "rejected", "skipped", "pending"];
    this.find(".bar").replaceChildren(
      ...shown.map((verdict) => {
        const part = made("i", verdict);
        part.style.flexGrow = counts[verdict] || 0;
        return part;
      }),
    );
    const text = shown.map((verdict) => `${number(counts[verdict] || 0)} ${verdict}`);
    const judged = all - (counts.pending || 0);
    this.find(".tally").replaceChildren(
      made("strong", "", `${number(judged)} of ${number(all)} judged`),
      ...shown.map((verdict, i) => made("span", verdict, text[i])),
    );
    this.find(".bar").setAttribute("aria-label", text.join(", "));
  }

  showCard() {
    const { card } = this;
    if (!card) return;
    this.find(".stage").style.setProperty("--ratio", card.ratio);
    this.find(".name").textContent = card.name;
    const part = card.parts > 1 ? `repetition ${card.part} of ${card.parts} · ` : "";
    this.find(".sub").textContent = `${part}group ${card.group} · ${card.duration.toFixed(1)} s`;
    const label = this.find(".label");
    if (label.getRootNode().activeElement !== label) label.value = card.exercise;
    this.showQuality(card);
    const verdict = this.find(".verdict");
    verdict.hidden = card.verdict === "pending";
    verdict.className = `verdict ${card.verdict}`;
    verdict.textContent = `${DONE[card.verdict]}${card.reviewer ? ` by ${card.reviewer}` : ""}${
      card.reasons.length ? `: ${card.reasons.join(", ")}` : ""
    }`;
    this.find(".history").hidden = !card.history.length;
    this.find(".history ol").replaceChildren(...card.history.map((line) => made("li", "", line)));
    this.find(".history summary").textContent = `History (${card.history.length})`;
    this.showMessage();
    this.draw();
    if (!card.trace) this.loadTraces(card).then((trace) => trace && card === this.card && this.draw());
  }

  showQuality(card) {
    const known = card.quality !== null;
    const quality = this.find(".quality");
    quality.textContent = known ? String(Math.round(100 * card.quality)) : "–";
    quality.className = `quality ${!known ? "" : card.quality >= 0.75 ? "good" : card.quality >= 0.5 ? "fair" : "poor"}`;
    quality.setAttribute("aria-label", known ? `Pose quality ${quality.textContent} of 100` : "No pose quality");
    const notes = card.notes.length ? card.notes : card.problems;
    const fine = known ? ["No remarks on the keypoints."] : [];
    this.find(".notes").replaceChildren(...(notes.length ? notes : fine).map((note) => made("li", "", note)));
  }

  showLog() {
    const marks = { saving: "…", saved: "✓", conflict: "!", refused: "!" };
    const words = { saving: "saving", saved: "saved", conflict: "not saved: somebody was faster", refused: "not saved" };
    this.find(".log").replaceChildren(
      ...this.log.toReversed().map((entry) => {
        const line = made("li", entry.state);
        const open = made("button", "", entry.text);
        open.type = "button";
        open.disabled = !entry.item;
        open.title = "Look at it again";
        open.addEventListener("click", () => this.visitAgain(entry.item));
        line.append(made("b", "", marks[entry.state]), open, made("span", "", entry.more || words[entry.state]));
        return line;
      }),
    );
  }

  note(seq, state, text = "") {
    const entry = this.log.find((one) => one.seq === seq);
    if (entry) Object.assign(entry, { state, more: state === "refused" ? text : "" });
    this.showLog();
  }

  tellNews() {
    const fresh = this.data.news.filter((line) => !this.oldNews?.includes(line));
    this.oldNews = this.data.news;
    for (const line of fresh) this.log.push({ seq: 0, item: null, text: line, state: "saved", more: "just now" });
    this.log = this.log.slice(-LOGGED);
    if (fresh.length) this.showLog();
  }

  tell(notice) {
    this.notices.push(notice);
    this.showNotice();
  }

  dropNotices(item) {
    this.notices = this.notices.filter((notice) => notice.item !== item);
    this.showNotice();
  }

  showNotice() {
    const [notice] = this.notices;
    this.find(".notice").hidden = !notice;
    if (!notice) return;
    this.find(".what").textContent = notice.text;
    this.find(".notice .answers").replaceChildren(
      ...notice.choices.map(([text, action]) => {
        const button = made("button", "", text);
        button.type = "button";
        button.addEventListener("click", () => {
          this.notices = this.notices.filter((one) => one !== notice);
          this.showNotice();
          action();
        });
        return button;
      }),
    );
  }

  showTime(time) {
    const { card } = this;
    if (!card) return;
    const frame = this.frameAt(time);
    this.section.dataset.frame = frame;
    this.find(".playhead").style.left = `${percentOf(time, card.duration)}%`;
    this.find(".clock").value = `${time.toFixed(2)} s · frame ${frame + 1} of ${this.times().length}`;
  }

  showBounds() {
    const { card } = this;
    const [start, end] = [card.start, card.end].map((time) => percentOf(time, card.duration));
    this.find(".outside.before").style.width = `${start}%`;
    this.find(".outside.after").style.width = `${100 - end}%`;
    for (const [which, place, time] of [["start", start, card.start], ["end", end, card.end]]) {
      const handle = this.find(`.handle.${which}`);
      handle.style.left = `${place}%`;
      handle.querySelector("b").textContent = time.toFixed(2);
      handle.setAttribute("aria-valuemin", "0");
      handle.setAttribute("aria-valuemax", card.duration.toFixed(2));
      handle.setAttribute("aria-valuenow", time.toFixed(2));
      handle.setAttribute("aria-valuetext", `${time.toFixed(2)} seconds`);
    }
  }

  draw() {
    const { card } = this;
    if (!card) return;
    this.showBounds();
    this.find(".proposed").replaceChildren(
      ...card.repetitions.map(([from, to]) => {
        const mark = made("i");
        mark.style.left = `${percentOf(from, card.duration)}%`;
        mark.style.width = `${percentOf(to - from, card.duration)}%`;
        return mark;
      }),
    );
    this.drawLines();
  }

  drawLines() {
    const { card } = this;
    const plot = this.find(".plot");
    const legend = this.find(".legend");
    if (!card.trace) {
      plot.replaceChildren();
      legend.replaceChildren();
      return;
    }
    const { at, series, joints, colour } = card.trace;
    const lines = series[this.find(".quantity").value];
    const known = lines.flat().filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const x = (time) => (1000 * time) / card.duration;
    const y = (value) => 96 - (92 * (value - low)) / (high - low || 1);
    plot.replaceChildren(
      ...lines.map((line, i) => {
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("d", pathOf(line, at, x, y));
        path.setAttribute("stroke", colour);
        path.setAttribute("stroke-dasharray", DASHES[i]);
        return path;
      }),
    );
    legend.replaceChildren(
      ...joints.map((joint, i) => {
        const entry = made("span", "", joint);
        const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        sample.setAttribute("viewBox", "0 0 24 4");
        sample.innerHTML = `<line x1="0" y1="2" x2="24" y2="2" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${DASHES[i]}"/>`;
        entry.prepend(sample);
        return entry;
      }),
    );
  }
}

// The video elements: the one on the screen, and those that are loaded for later, at the first
// frame of their repetition.
class Pool {
  constructor(box, wire) {
    this.box = box;
    this.wire = wire;
    this.videos = new Map();
    this.shown = null;
  }

  get(card) {
    const known = this.videos.get(card.id);
    if (known && known.address === card.video) return known;
    if (known) this.drop(card.id);
    const video = document.createElement("video");
    Object.assign(video, { muted: true, playsInline: true, preload: "auto", loop: true });
    video.disablePictureInPicture = true;
    video.tabIndex = -1;
    video.address = card.video;
    this.wire(video);
    video.addEventListener("loadedmetadata", () => (video.currentTime = card.start), { once: true });
    if (card.video) video.src = card.video;
    this.box.append(video);
    this.videos.set(card.id, video);
    return video;
  }

  show(card) {
    const video = card && this.get(card);
    if (this.shown && this.shown !== video) {
      this.shown.pause();
      this.shown.classList.remove("shown");
    }
    video?.classList.add("shown");
    this.shown = video;
  }

  keep(ids) {
    for (const [id, video] of this.videos) {
      if (video !== this.shown && !ids.includes(id)) this.drop(id);
    }
  }

  drop(id) {
    const video = this.videos.get(id);
    this.videos.delete(id);
    video.gone = true;
    video.pause();
    video.removeAttribute("src");
    video.load();
    video.remove();
  }

  empty() {
    for (const id of [...this.videos.keys()]) this.drop(id);
  }
}

// Does typing go there? Then no key is ours.
function isField(target) {
  if (!target?.closest) return false;
  if (target.matches("input[type=checkbox], input[type=radio], input[type=button]")) return false;
  return Boolean(
    target.closest("input, textarea, select, [contenteditable=''], [contenteditable=true]") ||
      target.closest("[role=combobox], [role=textbox], [role=listbox], [role=option]"),
  );
}

function pathOf(values, at, x, y) {
  let pen = "M";
  let path = "";
  values.forEach((value, i) => {
    if (value === null) {
      pen = "M";
      return;
    }
    path += `${pen}${x(at[i]).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
  });
  return path;
}

function percentOf(part, whole) {
  return Math.min(Math.max((100 * part) / (whole || 1), 0), 100);
}

function number(value) {
  return value.toLocaleString("en");
}

function made(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

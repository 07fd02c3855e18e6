// The review session in the browser: puts together the picture, the timeline, the panel and the
// decisions.
//
// It moves on the moment a key is pressed: the next clips are loaded already. What was decided goes
// to the page as the state `work`: all decisions that were not answered yet, again and again until
// they are.

import { mounted } from "../component.js";
import { find } from "../dom.js";
import { commandsOf } from "./commands.js";
import { listenTo } from "./controls.js";
import { Corrector } from "./corrector.js";
import { Navigation } from "./navigation.js";
import { describe, Outbox } from "./outbox.js";
import { changed, notSaved, Notices } from "./notices.js";
import { Panel } from "./panel.js";
import { Picture } from "./picture.js";
import { Sender } from "./sender.js";
import { Timeline } from "./timeline.js";
import { TraceLoader } from "./traces.js";
import { Why } from "./why.js";

/** @import { KnownCard } from "./navigation.js" */
/** @import { NewDecision } from "./outbox.js" */
/** @import { Card, Reply, ReviewerData } from "./payload.js" */
/** @import { Given } from "./sender.js" */

const YEAR_S = 31536000;

export default mounted((root) => new Reviewer(root));

class Reviewer {
  /** @param {HTMLElement} root */
  constructor(root) {
    const section = find(root, ".reviewer");
    const life = new AbortController();
    const card = () => this.navigation.card;
    this.section = section;
    this.life = life;
    this.desk = find(section, ".desk");
    this.decideBox = find(section, ".decide");
    this.finished = find(section, ".finished");
    this.undoButton = find(section, ".undo", HTMLButtonElement);
    const client = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.outbox = new Outbox(
      client,
      () => sessionStorage,
      () => performance.now(),
    );
    this.navigation = new Navigation();
    this.sender = new Sender(this.outbox, () => this.navigation.current);
    this.traces = new TraceLoader();
    this.picture = new Picture(section, {
      card,
      isHeld: () => this.timeline.dragging !== null,
      onTime: (time) => {
        this.timeline.showTime(time);
        this.corrector.draw();
      },
      signal: life.signal,
    });
    /** @type {Timeline} */
    this.timeline = new Timeline(section, this.picture, card, () => this.trim(), life.signal);
    this.corrector = new Corrector(section, {
      card,
      picture: this.picture,
      push: (decision) => this.push(decision),
      signal: life.signal,
    });
    this.panel = new Panel(section);
    this.notices = new Notices(section);
    this.why = new Why(section, (reasons, text) => this.decide("rejected", reasons, text));
    this.listen();
  }

  destroy() {
    this.life.abort();
    this.sender.close();
    this.picture.pool.empty();
  }

  // -- what the page says -----------------------------------------------------------------------

  /** @param {Given} component */
  update(component) {
    const first = !this.sender.component;
    this.sender.component = component;
    const { data } = component;
    if (this.outbox.addressTo(data)) {
      this.showLog();
      queueMicrotask(() => this.sender.send());
    }
    if (this.navigation.begin(data.tour)) this.outbox.oldNews = [];
    if (first) this.recall();
    for (const reply of data.answers) this.hear(reply, data);
    for (const card of data.cards) this.learn(card, data.reviewer);
    this.why.offer(data.reasons);
    this.panel.showExercises(data.exercises);
    this.panel.showCounts(data.counts);
    this.navigation.queue(data);
    if (this.outbox.writeNews(data.news)) this.showLog();
    const due = this.navigation.due();
    if (due === undefined) {
      this.showCard();
      this.preload();
    } else {
      this.visit(due);
    }
    const name = encodeURIComponent(data.reviewer);
    document.cookie = `gymform_reviewer=${name}; path=/; max-age=${YEAR_S}; SameSite=Lax`;
  }

  recall() {
    for (const decision of this.outbox.recall()) {
      if (decision.kind === "verdict") this.navigation.decided.add(decision.item);
      this.push(decision);
    }
  }

  /**
   * @param {Card} card
   * @param {string} reviewer who looks at it here
   */
  learn(card, reviewer) {
    const waiting = this.outbox.holds(card.id);
    if (!this.navigation.learn(card, waiting, reviewer)) return;
    this.notices.tell(changed(card, () => this.visit(this.navigation.next())));
  }

  /**
   * @param {Reply} reply
   * @param {ReviewerData} data
   */
  hear(reply, data) {
    const decision = this.outbox.hear(reply);
    if (!decision) return;
    this.navigation.answered(decision);
    this.showLog();
    if (reply.state !== "saved") {
      if (decision.kind === "correct") this.corrector.forget();
      const visit = (/** @type {string} */ item) => this.visitAgain(item);
      const push = (/** @type {NewDecision} */ again) => this.push(again);
      this.notices.tell(notSaved(decision, reply, visit, push));
    } else if (decision.kind === "undo" && reply.item_id !== null) {
      this.navigation.undone = reply.item_id;
      if (!data.cards.some(({ id }) => id === reply.item_id)) this.sender.send(reply.item_id);
    }
  }

  // -- decisions --------------------------------------------------------------------------------

  /** @param {NewDecision} decision */
  push(decision) {
    const name = decision.item ? this.navigation.cards.get(decision.item)?.name : "";
    this.outbox.push(decision, describe(decision, name ?? ""));
    this.showLog();
    this.sender.send();
  }

  /**
   * @param {string} verdict
   * @param {string[]} [reasons]
   * @param {string} [comment]
   */
  decide(verdict, reasons = [], comment = "") {
    const { card } = this.navigation;
    if (!card) return;
    this.why.close();
    this.navigation.decided.add(card.id);
    this.notices.drop(card.id);
    const { id, revision } = card;
    this.visit(this.navigation.next());
    this.push({ kind: "verdict", item: id, revision, verdict, reasons, comment });
  }

  undo() {
    this.why.close();
    this.push({ kind: "undo", item: null });
  }

  relabel() {
    const { card } = this.navigation;
    const { label } = this.panel;
    const exercise = label.value.trim();
    if (!card || !exercise || exercise === card.exercise) {
      label.value = card?.exercise ?? "";
      return;
    }
    card.exercise = exercise;
    this.push({ kind: "relabel", item: card.id, revision: card.revision, exercise });
    this.showCard();
  }

  trim() {
    const { card } = this.navigation;
    if (!card) return;
    const { id, revision, start, end } = card;
    this.push({ kind: "trim", item: id, revision, start_s: start, end_s: end });
  }

  // -- from item to item --------------------------------------------------------------------------

  /**
   * Bring an item to the screen, or null for the end.
   *
   * @param {string | null} id
   */
  visit(id) {
    const known = this.navigation.goTo(id);
    this.why.hide();
    this.desk.hidden = this.decideBox.hidden = !id;
    this.finished.hidden = Boolean(id);
    this.undoButton.disabled = false;
    if (!known) {
      this.sender.send(id); // faster than the server: it is asked, and the clip shown when it comes
      return;
    }
    if (id) this.section.dataset.wanted = id;
    this.picture.show(this.navigation.card ?? null);
    this.showCard();
    if (id) this.why.resume(id);
    this.preload();
    if (id) this.sender.tellPlace();
  }

  /**
   * Back to an item; the one that was on the screen comes after it.
   *
   * @param {string} id
   */
  visitAgain(id) {
    this.navigation.putOff(id);
    this.visit(id);
  }

  preload() {
    for (const card of this.navigation.soon()) {
      this.picture.pool.get(card);
      this.traces.load(card);
    }
    this.picture.pool.keep(this.navigation.near());
  }

  // -- what is shown ------------------------------------------------------------------------------

  showCard() {
    const { card } = this.navigation;
    if (!card) return;
    this.panel.showCard(card);
    this.picture.showMessage();
    this.timeline.draw();
    this.corrector.show();
    if (!card.trace) this.traces.load(card).then((trace) => trace && this.drawAgain(card));
  }

  /** @param {KnownCard} card whose trajectories have come */
  drawAgain(card) {
    if (card === this.navigation.card) this.timeline.draw();
  }

  showLog() {
    this.panel.showLog(this.outbox.log, (item) => this.visitAgain(item));
  }

  // -- keys and buttons ---------------------------------------------------------------------------

  listen() {
    const { navigation, why, timeline } = this;
    const screen = {
      hasCard: () => Boolean(navigation.card),
      isAsking: () => why.isOpen,
      reasons: () => why.pills().length,
      boundOf: (/** @type {EventTarget} */ target) => timeline.boundOf(target),
    };
    listenTo(this.section, commandsOf(this), screen, this.life.signal);
    const leave = (/** @type {Event} */ event) => {
      if (this.outbox.waiting.length) event.preventDefault();
    };
    window.addEventListener("beforeunload", leave, { signal: this.life.signal });
  }
}

// What is said about the item on the screen and about the whole: counts, quality, verdict, history,
// and the log of decisions.

import { find, made, madeButton, number } from "../dom.js";
import { DONE } from "./outbox.js";

/** @import { Card } from "./payload.js" */
/** @import { LogEntry } from "./outbox.js" */

const VERDICTS = ["accepted", "rejected", "skipped", "disputed", "pending"];

/** @type {Record<string, { mark: string, words: string }>} */
const STATES = {
  saving: { mark: "…", words: "saving" },
  saved: { mark: "✓", words: "saved" },
  conflict: { mark: "!", words: "not saved: somebody was faster" },
  refused: { mark: "!", words: "not saved" },
};

export class Panel {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.bar = find(section, ".bar");
    this.tally = find(section, ".tally");
    this.stage = find(section, ".stage");
    this.name = find(section, ".name");
    this.sub = find(section, ".sub");
    this.label = find(section, ".label", HTMLInputElement);
    this.exercises = find(section, "datalist");
    this.quality = find(section, ".quality");
    this.notes = find(section, ".notes");
    this.verdict = find(section, ".verdict");
    this.history = find(section, ".history");
    this.log = find(section, ".log");
  }

  // -- the whole --------------------------------------------------------------------------------

  /** @param {string[]} names */
  showExercises(names) {
    const options = [...this.exercises.querySelectorAll("option")];
    if (options.map(({ value }) => value).join() === names.join()) return;
    this.exercises.replaceChildren(
      ...names.map((name) => Object.assign(made("option"), { value: name })),
    );
  }

  /** @param {Record<string, number>} counts items by verdict */
  showCounts(counts) {
    const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
    const judged = all - (counts.pending || 0);
    const shown = VERDICTS.filter((verdict) => verdict !== "disputed" || counts[verdict]);
    const text = shown.map((verdict) => `${number(counts[verdict] || 0)} ${verdict}`);
    this.bar.replaceChildren(
      ...shown.map((verdict) => {
        const part = made("i", verdict);
        part.style.flexGrow = String(counts[verdict] || 0);
        return part;
      }),
    );
    this.bar.setAttribute("aria-label", text.join(", "));
    this.tally.replaceChildren(
      made("strong", "", `${number(judged)} of ${number(all)} judged`),
      ...shown.map((verdict, i) => made("span", verdict, text[i])),
    );
  }

  // -- the item on the screen -------------------------------------------------------------------

  /** @param {Card} card */
  showCard(card) {
    this.stage.style.setProperty("--ratio", String(card.ratio));
    this.name.textContent = card.name;
    const part = card.parts > 1 ? `repetition ${card.part} of ${card.parts} · ` : "";
    this.sub.textContent = `${part}group ${card.group} · ${card.duration.toFixed(1)} s`;
    const root = /** @type {Document | ShadowRoot} */ (this.label.getRootNode());
    if (root.activeElement !== this.label) this.label.value = card.exercise;
    this.showQuality(card);
    this.verdict.hidden = card.verdict === "pending";
    this.verdict.className = `verdict ${card.verdict}`;
    this.verdict.textContent = verdictInWords(card);
    this.history.hidden = !card.history.length;
    find(this.history, "ol").replaceChildren(...card.history.map((line) => made("li", "", line)));
    find(this.history, "summary").textContent = `History (${card.history.length})`;
  }

  /** @param {Card} card */
  showQuality({ quality, level, notes, problems }) {
    const known = quality !== null;
    const hundredths = known ? String(Math.round(100 * quality)) : "–";
    this.quality.textContent = hundredths;
    this.quality.className = `quality ${level ?? ""}`;
    const label = known ? `Pose quality ${hundredths} of 100` : "No pose quality";
    this.quality.setAttribute("aria-label", label);
    const remarks = notes.length ? notes : problems;
    const fine = known ? ["No remarks on the keypoints."] : [];
    const lines = remarks.length ? remarks : fine;
    this.notes.replaceChildren(...lines.map((line) => made("li", "", line)));
  }

  // -- the log ----------------------------------------------------------------------------------

  /**
   * @param {LogEntry[]} log the latest last
   * @param {(item: string) => void} onOpen is asked to show an item again
   */
  showLog(log, onOpen) {
    this.log.replaceChildren(
      ...log.toReversed().map(({ item, text, state, more }) => {
        const { mark, words } = STATES[state];
        const open = madeButton("", text, () => item && onOpen(item));
        open.disabled = !item;
        open.title = "Look at it again";
        const line = made("li", state);
        line.append(made("b", "", mark), open, made("span", "", more || words));
        return line;
      }),
    );
  }
}

/**
 * The latest verdict on an item: "Rejected by Anna: occluded".
 *
 * @param {Card} card
 */
function verdictInWords({ verdict, reviewer, reasons }) {
  const who = reviewer ? ` by ${reviewer}` : "";
  const why = reasons.length ? `: ${reasons.join(", ")}` : "";
  return `${DONE[verdict]}${who}${why}`;
}

// Why is a repetition rejected? Asked below the clip, answered with keys or clicks. What is answered
// so far outlives a page that is built anew: the tab keeps it until it is sent or given up.

import { find, made, madeButton } from "../dom.js";
import { keepIn, recallFrom } from "./tab.js";

const DRAFT = "gymform.why";

/** @typedef {{ item: string, reasons: string[], comment: string }} Draft */

export class Why {
  /**
   * @param {HTMLElement} section
   * @param {(reasons: string[], comment: string) => void} onReject
   */
  constructor(section, onReject) {
    this.section = section;
    this.onReject = onReject;
    /** @type {string | null} the item that it is asked about */
    this.item = null;
    this.box = find(section, ".why");
    this.decide = find(section, ".decide");
    this.reasons = find(section, ".reasons");
    this.comment = find(section, ".comment", HTMLInputElement);
    this.confirm = find(section, ".confirm", HTMLButtonElement);
    this.comment.addEventListener("input", () => this.keep());
  }

  get isOpen() {
    return !this.box.hidden;
  }

  /**
   * Offer these reasons.
   *
   * @param {string[]} reasons
   */
  offer(reasons) {
    if (this.reasons.children.length === reasons.length) return;
    this.reasons.replaceChildren(
      ...reasons.map((reason, i) => {
        const pill = madeButton("pill", reason, () => this.toggle(i));
        pill.dataset.reason = reason;
        pill.prepend(made("kbd", "", String(i + 1)));
        pill.setAttribute("aria-pressed", "false");
        return pill;
      }),
    );
  }

  /** @param {string} item */
  open(item) {
    this.show({ item, reasons: [], comment: "" });
    this.keep();
  }

  /**
   * Ask again what was being answered about an item, if anything was.
   *
   * @param {string} item
   */
  resume(item) {
    /** @type {Draft | null} */
    const draft = recallFrom(() => sessionStorage, DRAFT);
    if (draft?.item === item) this.show(draft);
  }

  /** @param {Draft} draft */
  show({ item, reasons, comment }) {
    this.item = item;
    this.decide.hidden = true;
    this.box.hidden = false;
    this.comment.value = comment;
    for (const pill of this.pills()) {
      pill.setAttribute("aria-pressed", String(reasons.includes(pill.dataset.reason ?? "")));
    }
    this.allow();
    this.box.focus({ preventScroll: true });
    this.box.scrollIntoView({ block: "nearest" });
  }

  // The question is answered or given up.
  close() {
    if (!this.isOpen) return;
    this.hide();
    this.keep();
  }

  // Another item comes to the screen: this one's question waits.
  hide() {
    if (!this.isOpen) return;
    this.item = null;
    this.box.hidden = true;
    this.decide.hidden = false;
    this.section.focus({ preventScroll: true });
  }

  keep() {
    const draft = { item: this.item, reasons: this.chosen(), comment: this.comment.value };
    keepIn(() => sessionStorage, DRAFT, this.item && draft);
  }

  /** @returns {HTMLElement[]} */
  pills() {
    return [...this.reasons.querySelectorAll("button")];
  }

  /** @param {number} reason */
  toggle(reason) {
    const pill = this.pills()[reason];
    pill.setAttribute("aria-pressed", String(pill.getAttribute("aria-pressed") !== "true"));
    this.allow();
    this.keep();
  }

  /** @returns {string[]} */
  chosen() {
    const pressed = this.pills().filter((pill) => pill.getAttribute("aria-pressed") === "true");
    return pressed.map((pill) => pill.dataset.reason ?? "");
  }

  // Nobody rejects without a reason.
  allow() {
    this.confirm.disabled = !this.chosen().length;
  }

  reject() {
    const reasons = this.chosen();
    if (reasons.length) this.onReject(reasons, this.comment.value.trim());
  }
}

// Why is a repetition rejected? Asked below the clip, answered with keys or clicks.

import { find, made, madeButton } from "../dom.js";

export class Why {
  /**
   * @param {HTMLElement} section
   * @param {(reasons: string[], comment: string) => void} onReject
   */
  constructor(section, onReject) {
    this.section = section;
    this.onReject = onReject;
    this.box = find(section, ".why");
    this.decide = find(section, ".decide");
    this.reasons = find(section, ".reasons");
    this.comment = find(section, ".comment", HTMLInputElement);
    this.confirm = find(section, ".confirm", HTMLButtonElement);
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

  open() {
    this.decide.hidden = true;
    this.box.hidden = false;
    this.comment.value = "";
    for (const pill of this.pills()) pill.setAttribute("aria-pressed", "false");
    this.allow();
    this.box.focus({ preventScroll: true });
    this.box.scrollIntoView({ block: "nearest" });
  }

  close() {
    if (!this.isOpen) return;
    this.box.hidden = true;
    this.decide.hidden = false;
    this.section.focus({ preventScroll: true });
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

// Keys and buttons: what was pressed where, and the command that it stands for.

import { find, isField, isPlain, listener } from "../dom.js";
import { deskKey, fieldKey, whyKey } from "./keys.js";

/** @import { Action, Bound, Commands } from "./keys.js" */

/**
 * What is on the screen when a key is pressed.
 *
 * @typedef {object} Screen
 * @property {() => boolean} hasCard whether a clip is there
 * @property {() => boolean} isAsking whether it is asked why a repetition is rejected
 * @property {() => number} reasons how many may be chosen
 * @property {(target: EventTarget) => Bound | null} boundOf which end an element is the handle of
 */

/**
 * Listen to the keys and the buttons of the review until `signal` is aborted.
 *
 * @param {HTMLElement} section
 * @param {Commands} commands
 * @param {Screen} screen
 * @param {AbortSignal} signal
 */
export function listenTo(section, commands, screen, signal) {
  const on = listener(signal);
  /** @type {Record<string, () => void>} */
  const buttons = {
    ".accept": commands.accept,
    ".reject": commands.askWhy,
    ".skip": commands.skip,
    ".undo": commands.undo,
    ".confirm": commands.reject,
    ".cancel": commands.closeWhy,
    ".back": () => commands.step(-1),
    ".forward": () => commands.step(1),
    ".play": commands.playOrPause,
    ".videos": commands.playOrPause,
    ".whole": commands.toggleWhole,
    ".correct": commands.correct,
  };
  for (const [selector, action] of Object.entries(buttons)) {
    on(find(section, selector), "click", action);
  }
  const speed = find(section, ".speed", HTMLSelectElement);
  on(speed, "change", () => {
    commands.setSpeed(Number(speed.value));
    speed.blur();
  });
  on(find(section, ".label"), "change", commands.relabel);
  on(window, "keydown", (event) => {
    const action = isOurs(event, section) ? actionOf(event, section, commands, screen) : null;
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
}

/**
 * Is a key for the review, and not for the browser, a dialog or another page of the app?
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} section
 */
function isOurs(event, section) {
  const isShown = section.getClientRects().length > 0;
  const isFree = isShown && !document.querySelector("[role=dialog]");
  return isFree && isPlain(event) && !event.defaultPrevented;
}

/**
 * The command of a key, by what has the focus and what is asked.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} section
 * @param {Commands} commands
 * @param {Screen} screen
 * @returns {Action}
 */
function actionOf(event, section, commands, screen) {
  const target = event.composedPath()[0];
  const element = target instanceof Element ? target : null;
  if (isField(target)) return fieldKey(event.key, fieldOf(target, section), commands);
  if (screen.isAsking()) {
    const onButton = Boolean(element?.matches("button"));
    return whyKey(event.key, screen.reasons(), onButton, commands);
  }
  const place = {
    shift: event.shiftKey,
    repeat: event.repeat,
    onButton: Boolean(element?.matches("button, summary, a")),
    bound: screen.boundOf(target),
    hasCard: screen.hasCard(),
  };
  return deskKey(event.key, place, commands);
}

/**
 * Which of our text boxes it is; null for another one.
 *
 * @param {EventTarget} target
 * @param {HTMLElement} section
 */
function fieldOf(target, section) {
  if (target === find(section, ".comment")) return "comment";
  return target === find(section, ".label") ? "label" : null;
}

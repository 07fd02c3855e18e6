// What each command of the review does: keys and buttons only name them.

/** @import { Commands } from "./keys.js" */
/** @import { Corrector } from "./corrector.js" */
/** @import { Navigation } from "./navigation.js" */
/** @import { Panel } from "./panel.js" */
/** @import { Picture } from "./picture.js" */
/** @import { Timeline } from "./timeline.js" */
/** @import { Why } from "./why.js" */

/**
 * The parts of the review that commands are given to.
 *
 * @typedef {object} Parts
 * @property {Navigation} navigation
 * @property {Picture} picture
 * @property {Timeline} timeline
 * @property {Why} why
 * @property {Panel} panel
 * @property {Corrector} corrector
 * @property {(verdict: string) => void} decide
 * @property {() => void} undo
 * @property {() => void} relabel
 */

/**
 * @param {Parts} parts
 * @returns {Commands}
 */
export function commandsOf(parts) {
  const { navigation, picture, timeline, why, panel, corrector } = parts;
  return {
    accept: () => parts.decide("accepted"),
    askWhy: () => navigation.card && why.open(navigation.card.id),
    skip: () => parts.decide("skipped"),
    undo: () => (corrector.isOn ? corrector.undo() : parts.undo()),
    step: (frames) => picture.step(frames),
    seek: (seconds) => picture.seek(seconds),
    playOrPause: () => picture.playOrPause(),
    showBound: (bound) => navigation.card && picture.goToTime(navigation.card[bound]),
    setBound: (bound) => timeline.setBound(bound),
    nudge: (bound, frames) => timeline.nudge(bound, frames),
    toggleReason: (reason) => why.toggle(reason),
    reject: () => why.reject(),
    closeWhy: () => why.close(),
    leaveLabel: () => panel.label.blur(),
    restoreLabel: () => {
      panel.label.value = navigation.card?.exercise ?? "";
      panel.label.blur();
    },
    relabel: () => parts.relabel(),
    toggleWhole: () => picture.toggleWhole(),
    setSpeed: (speed) => picture.setSpeed(speed),
    correct: () => corrector.toggle(),
  };
}

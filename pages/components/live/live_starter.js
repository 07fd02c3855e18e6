// Presses the stream's own start button once it is there. streamlit-webrtc can be told to start by
// itself, but then opens several connections when the page is drawn again meanwhile, and none of
// them works. Where this does not find the button, the user does.

/** @import { Component } from "../component.js" */
/** @import { StarterData } from "./payload.js" */

/** @type {WeakSet<HTMLElement>} */
const pressed = new WeakSet();
const EVERY_MS = 200;
const TRIES = 150;

/** @param {Component<StarterData>} component */
export default function start({ parentElement: root, data }) {
  if (pressed.has(root)) return;
  pressed.add(root);
  let tries = 0;
  const timer = setInterval(() => {
    const button = startButton(data.label);
    if (button) button.click();
    if (button || ++tries === TRIES) clearInterval(timer);
  }, EVERY_MS);
}

/**
 * The button of that label in the frame of streamlit-webrtc; null while there is none.
 *
 * @param {string} label
 * @returns {HTMLButtonElement | null}
 */
function startButton(label) {
  const frames = document.querySelectorAll("iframe[src*='streamlit_webrtc']");
  for (const frame of /** @type {NodeListOf<HTMLIFrameElement>} */ (frames)) {
    const buttons = frame.contentDocument?.querySelectorAll("button") ?? [];
    for (const button of buttons) {
      const text = button.textContent?.trim().toLowerCase();
      if (!button.disabled && text === label.toLowerCase()) return button;
    }
  }
  return null;
}

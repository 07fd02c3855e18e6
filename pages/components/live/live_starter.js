// Presses the stream's own start button once it is there. streamlit-webrtc can be told to start by
// itself, but then opens several connections when the page is drawn again meanwhile, and none of
// them works. Where this does not find the button, the user does.

const pressed = new WeakSet();
const EVERY_MS = 200;
const TRIES = 150;

export default function ({ parentElement: root, data }) {
  if (pressed.has(root)) return;
  pressed.add(root);
  let tries = 0;
  const timer = setInterval(() => {
    const button = startButton(data.label);
    if (button) button.click();
    if (button || ++tries === TRIES) clearInterval(timer);
  }, EVERY_MS);
}

function startButton(label) {
  for (const frame of document.querySelectorAll("iframe[src*='streamlit_webrtc']")) {
    const buttons = frame.contentDocument?.querySelectorAll("button:not(:disabled)") ?? [];
    for (const button of buttons) {
      if (button.textContent.trim().toLowerCase() === label.toLowerCase()) return button;
    }
  }
  return null;
}

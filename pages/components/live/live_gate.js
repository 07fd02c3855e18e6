// Asks for the camera before anything is connected, so that a refusal has words and a way on.
// Trigger `ready` tells the page that the camera may be used.

const gates = new WeakMap();

export default function (component) {
  const root = component.parentElement;
  if (!gates.has(root)) gates.set(root, listen(root));
  gates.get(root).component = component;
}

function listen(root) {
  const gate = { component: null };
  const button = root.querySelector(".open");
  const asking = root.querySelector(".asking");
  button.addEventListener("click", async () => {
    showProblem(root, null);
    button.disabled = true;
    const wait = setTimeout(() => (asking.hidden = false), 700);
    try {
      closeCamera(await openCamera(true));
      gate.component.setTriggerValue("ready", true);
    } catch (problem) {
      showProblem(root, problem);
      button.textContent = "Try again";
    }
    clearTimeout(wait);
    asking.hidden = true;
    button.disabled = false;
  });
  return gate;
}

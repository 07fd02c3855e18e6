// Elements, numbers and words that several components need.

/**
 * The element of `root` that `selector` names. Throws when the component's HTML has none.
 *
 * @template {Element} [Kind=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} [kind] what it must be; an HTML element unless told
 * @returns {Kind}
 */
export function find(root, selector, kind) {
  const expected = kind ?? HTMLElement;
  const found = root.querySelector(selector);
  if (!(found instanceof expected)) throw new Error(`expected an ${expected.name} at ${selector}`);
  return /** @type {Kind} */ (/** @type {unknown} */ (found));
}

/**
 * A new element with a class and a text, each left out when it is empty.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function made(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/**
 * A new button that does something.
 *
 * @param {string} className
 * @param {string} text
 * @param {() => void} action
 * @returns {HTMLButtonElement}
 */
export function madeButton(className, text, action) {
  const button = made("button", className, text);
  button.type = "button";
  button.addEventListener("click", action);
  return button;
}

/**
 * A new SVG element with attributes.
 *
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @returns {SVGElement}
 */
export function madeSvg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return /** @type {SVGElement} */ (element);
}

/**
 * Marks on a line of `whole` seconds, one for each span.
 *
 * @param {[number, number][]} spans from and to, s
 * @param {number} whole
 * @returns {HTMLElement[]}
 */
export function madeMarks(spans, whole) {
  return spans.map(([from, to]) => {
    const mark = made("i");
    mark.style.left = `${percentOf(from, whole)}%`;
    mark.style.width = `${percentOf(to - from, whole)}%`;
    return mark;
  });
}

/**
 * A function that listens to events until `signal` is aborted.
 *
 * @param {AbortSignal} signal
 */
export function listener(signal) {
  /**
   * @template {keyof HTMLElementEventMap} Name
   * @param {EventTarget} target
   * @param {Name} name
   * @param {(event: HTMLElementEventMap[Name]) => void} action
   */
  return (target, name, action) =>
    target.addEventListener(name, /** @type {EventListener} */ (action), { signal });
}

/**
 * Does typing go there? Then no key is a command.
 *
 * @param {EventTarget | null | undefined} target
 * @returns {boolean}
 */
export function isField(target) {
  const element = /** @type {Partial<Element> | null | undefined} */ (target);
  if (!element?.closest || !element.matches) return false;
  if (element.matches("input[type=checkbox], input[type=radio], input[type=button]")) return false;
  return Boolean(
    element.closest("input, textarea, select, [contenteditable=''], [contenteditable=true]") ??
    element.closest("[role=combobox], [role=textbox], [role=listbox], [role=option]"),
  );
}

/**
 * Is a key a command, and no shortcut of the browser's?
 *
 * @param {KeyboardEvent} event
 */
export function isPlain(event) {
  return !event.ctrlKey && !event.metaKey && !event.altKey;
}

/**
 * An SVG path through the known values; it begins anew after each that is null.
 *
 * @param {(number | null)[]} values
 * @param {number[]} at where on the first axis each of them is
 * @param {(at: number) => number} x
 * @param {(value: number) => number} y
 * @returns {string}
 */
export function pathOf(values, at, x, y) {
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

/**
 * How many hundredths of the whole a part is, from 0 to 100.
 *
 * @param {number} part
 * @param {number} whole
 */
export function percentOf(part, whole) {
  return clamped((100 * part) / (whole || 1), 0, 100);
}

/**
 * The value, or the nearer bound where it is outside of them; `low` where they cross.
 *
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function clamped(value, low, high) {
  return Math.max(low, Math.min(value, high));
}

/**
 * A whole number as people write it: 1,234.
 *
 * @param {number} value
 */
export function number(value) {
  return value.toLocaleString("en");
}

/**
 * Show an element alone on the screen, or the page again.
 *
 * @param {HTMLElement} element
 */
export function toggleFullScreen(element) {
  if (document.fullscreenElement) void document.exitFullscreen();
  else element.requestFullscreen?.().catch(() => {}); // the browser may forbid it
}

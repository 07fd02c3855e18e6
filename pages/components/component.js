// The life of a component in the browser: Streamlit calls its default export with the same element
// whenever its data has changed, so one widget lives per element.

/**
 * What Streamlit hands to a component's default export.
 *
 * A state is kept until it changes, a trigger is there for one run of the page.
 *
 * @template {object} Data what Python sends
 * @template {object} [State={}] names and values that Python keeps
 * @template {object} [Triggers={}] names and values that Python gets once
 * @typedef {object} Component
 * @property {HTMLElement} parentElement
 * @property {Data} data
 * @property {<Name extends keyof State>(name: Name, value: State[Name]) => void} setStateValue
 * @property {<Name extends keyof Triggers>(name: Name, value: Triggers[Name]) => void} setTriggerValue
 */

/**
 * What a component shows, from its first call to its last.
 *
 * @template Given
 * @typedef {object} Widget
 * @property {(component: Given) => void} update shows the data of another call
 * @property {() => void} destroy lets go of cameras, timers and listeners
 */

/**
 * A default export that makes a widget for each element, updates it and destroys it in the end.
 *
 * @template {{ parentElement: HTMLElement }} Given
 * @param {(root: HTMLElement) => Widget<Given>} make
 * @returns {(component: Given) => () => void}
 */
export function mounted(make) {
  /** @type {WeakMap<HTMLElement, { widget: Widget<Given>, calls: number }>} */
  const places = new WeakMap();
  return (component) => {
    const root = component.parentElement;
    const place = places.get(root) ?? { widget: make(root), calls: 0 };
    places.set(root, place);
    const call = ++place.calls;
    place.widget.update(component);
    return () => {
      // A late clean-up of an earlier call must not take the widget from a later one.
      if (place.calls !== call) return;
      place.widget.destroy();
      places.delete(root);
    };
  };
}

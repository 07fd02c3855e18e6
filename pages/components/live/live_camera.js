// The camera, and in words why there is none.

import { find } from "../dom.js";

export const UPLOAD_INSTEAD = "Or film with any camera and drop the clip on the page Analyze.";

export class CameraProblem extends Error {
  /**
   * @param {string} title
   * @param {string} advice
   */
  constructor(title, advice) {
    super(title);
    this.advice = advice;
  }
}

/**
 * A stream with one video track. Throws CameraProblem.
 *
 * @param {MediaTrackConstraints | true} video
 * @returns {Promise<MediaStream>}
 */
export async function openCamera(video) {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    throw new CameraProblem(
      "This page is not allowed to use a camera",
      "Browsers give the camera to secure pages only. Open gymform under an address that starts " +
        `with https://, or on the computer it runs on as http://localhost. ${UPLOAD_INSTEAD}`,
    );
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    const isPicky = nameOf(error) === "OverconstrainedError" && video !== true;
    if (isPicky) return openCamera(true);
    throw inWords(error);
  }
}

/**
 * What went wrong with the camera, and what can be done.
 *
 * @param {unknown} error as the browser threw it
 * @returns {CameraProblem}
 */
export function inWords(error) {
  switch (nameOf(error)) {
    case "NotAllowedError":
    case "SecurityError":
      return new CameraProblem(
        "The camera is blocked for this page",
        "Click the symbol to the left of the page's address, allow the camera, and try again. " +
          `If nothing is asked, look into the system's privacy settings. ${UPLOAD_INSTEAD}`,
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return new CameraProblem(
        "No camera was found",
        `Plug one in, or open its shutter, and try again. ${UPLOAD_INSTEAD}`,
      );
    case "NotReadableError":
    case "AbortError":
      return new CameraProblem(
        "The camera gives no picture",
        "Another program or another tab may be using it. Close that one and try again. " +
          UPLOAD_INSTEAD,
      );
    default:
      return new CameraProblem(
        "The camera could not be opened",
        `The browser says ${nameOf(error)}. Try again, or use another browser. ${UPLOAD_INSTEAD}`,
      );
  }
}

/** @param {unknown} error */
function nameOf(error) {
  return /** @type {{ name?: string }} */ (error).name;
}

/** @param {MediaStream | null} stream */
export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * @param {HTMLElement} root
 * @param {CameraProblem | null} problem null for none any more
 */
export function showProblem(root, problem) {
  const box = find(root, ".problem");
  box.hidden = !problem;
  if (!problem) return;
  find(box, "strong").textContent = problem.message;
  find(box, "span").textContent = problem.advice;
}

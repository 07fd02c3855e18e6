// The camera, and in words why there is none. Shared by live_gate.js and recorder.js, which are
// put behind it in one module.

const UPLOAD_INSTEAD = "Or film with any camera and drop the clip on the page Analyze.";

class CameraProblem extends Error {
  constructor(title, advice) {
    super(title);
    this.advice = advice;
  }
}

// A stream with one video track. Throws CameraProblem.
async function openCamera(video) {
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
    if (error.name === "OverconstrainedError" && video !== true) return openCamera(true);
    throw inWords(error);
  }
}

function inWords(error) {
  switch (error.name) {
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
        `The browser says ${error.name}. Try again, or use another browser. ${UPLOAD_INSTEAD}`,
      );
  }
}

function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function showProblem(root, problem) {
  root.querySelector(".problem").hidden = !problem;
  if (!problem) return;
  root.querySelector(".problem strong").textContent = problem.message;
  root.querySelector(".problem span").textContent = problem.advice ?? "";
}

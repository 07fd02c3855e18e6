// Frames and their times: which one is on the screen at a moment, and where to seek for one.

/**
 * Index of the last frame whose time has come; 0 before the first.
 *
 * @param {number[]} times s, rising
 * @param {number} time s
 * @returns {number}
 */
export function frameAt(times, time) {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * The middle of a frame's time on screen, s: at its edge, rounding could show the neighbour.
 *
 * @param {number[]} times s, rising
 * @param {number} frame
 * @param {number} lastGap how long the last frame is on screen, s
 * @returns {number}
 */
export function middleOf(times, frame, lastGap) {
  const gap = frame + 1 < times.length ? times[frame + 1] - times[frame] : lastGap;
  return times[frame] + gap / 2;
}

/**
 * Does the browser tell the exact time of each picture that it puts on the screen?
 *
 * @param {HTMLVideoElement} video
 * @returns {boolean}
 */
export function tellsPictures(video) {
  return "requestVideoFrameCallback" in video;
}

/**
 * Call `action` with the time of the next picture that the browser puts on the screen, s.
 *
 * @param {HTMLVideoElement} video
 * @param {(time: number) => void} action
 */
export function afterPicture(video, action) {
  if (tellsPictures(video)) {
    video.requestVideoFrameCallback((_, { mediaTime }) => action(mediaTime));
  } else {
    requestAnimationFrame(() => action(video.currentTime));
  }
}

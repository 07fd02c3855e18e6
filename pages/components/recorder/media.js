// The browser's camera and encoder, as a recording needs them.

import {
  CameraProblem,
  closeCamera,
  inWords,
  openCamera,
  UPLOAD_INSTEAD,
} from "../live/live_camera.js";

/** @import { RecorderData } from "./payload.js" */

const TYPES = [
  "video/mp4;codecs=avc1.42E01F",
  "video/mp4;codecs=avc1",
  "video/mp4",
  "video/webm;codecs=vp9",
  "video/webm;codecs=vp8",
  "video/webm",
];
const QUALITY = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const MOST_BITS = 6e6; // a second
const HEADROOM = 0.8; // of the bytes allowed, for encoders that take more than they are told to

/**
 * A camera that can be recorded, or why there is none.
 *
 * @param {string} [deviceId] of the camera; any one unless told
 * @returns {Promise<MediaStream | CameraProblem>}
 */
export async function openRecordable(deviceId) {
  const device = deviceId ? { deviceId: { exact: deviceId } } : {};
  try {
    const stream = await openCamera({ ...QUALITY, ...device });
    if (window.MediaRecorder) return stream;
    closeCamera(stream);
    return new CameraProblem("This browser cannot record", UPLOAD_INSTEAD);
  } catch (error) {
    return error instanceof CameraProblem ? error : inWords(error);
  }
}

/**
 * The cameras that there are, to choose from.
 *
 * @param {string | undefined} current id of the one that is open
 * @returns {Promise<HTMLOptionElement[]>}
 */
export async function camerasToChoose(current) {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const cameras = devices.filter(({ kind }) => kind === "videoinput");
  return cameras.map(({ deviceId, label }, i) => {
    const name = label || `Camera ${i + 1}`;
    return new Option(name, deviceId, false, deviceId === current);
  });
}

/**
 * An encoder for a recording. Throws where the browser has none for the camera's picture.
 *
 * @param {MediaStream} stream
 * @param {RecorderData} limits
 * @returns {MediaRecorder}
 */
export function encoderFor(stream, { max_seconds, max_bytes }) {
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const videoBitsPerSecond = Math.min(MOST_BITS, (HEADROOM * 8 * max_bytes) / max_seconds);
  return new MediaRecorder(stream, { videoBitsPerSecond, ...(mimeType ? { mimeType } : {}) });
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
export function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      const url = String(reader.result);
      resolve(url.slice(url.indexOf(",") + 1));
    };
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// The video elements: the one on the screen, and those that are loaded for later, at the first
// frame of their repetition.

/** @import { Card } from "./payload.js" */

/**
 * A video with what is known of it: where its clip comes from, whether a picture is there, whether
 * its pictures are followed, and whether it was taken out.
 *
 * @typedef {HTMLVideoElement & { address: string | null, ready: boolean, watched: boolean, gone: boolean }} PooledVideo
 */

export class Pool {
  /**
   * @param {Element} box
   * @param {(video: PooledVideo) => void} wire listens to a new video
   */
  constructor(box, wire) {
    this.box = box;
    this.wire = wire;
    /** @type {Map<string, PooledVideo>} */
    this.videos = new Map();
    /** @type {PooledVideo | null} */
    this.shown = null;
  }

  /**
   * The video of a card, loading or loaded.
   *
   * @param {Card} card
   * @returns {PooledVideo}
   */
  get(card) {
    const known = this.videos.get(card.id);
    if (known && known.address === card.video) return known;
    if (known) this.drop(card.id);
    const looks = { muted: true, playsInline: true, preload: /** @type {const} */ ("auto") };
    const facts = { address: card.video, ready: false, watched: false, gone: false };
    const video = Object.assign(document.createElement("video"), looks, { loop: true }, facts);
    video.disablePictureInPicture = true;
    video.tabIndex = -1;
    this.wire(video);
    const toStart = () => (video.currentTime = card.start);
    video.addEventListener("loadedmetadata", toStart, { once: true });
    if (card.video) video.src = card.video;
    this.box.append(video);
    this.videos.set(card.id, video);
    return video;
  }

  /**
   * Put a card's video on the screen, or none.
   *
   * @param {Card | null} card
   */
  show(card) {
    const video = card && this.get(card);
    if (this.shown && this.shown !== video) {
      this.shown.pause();
      this.shown.classList.remove("shown");
    }
    video?.classList.add("shown");
    this.shown = video;
  }

  /**
   * Take out all videos but the one on the screen and those of these items.
   *
   * @param {string[]} ids
   */
  keep(ids) {
    for (const [id, video] of this.videos) {
      if (video !== this.shown && !ids.includes(id)) this.drop(id);
    }
  }

  /** @param {string} id */
  drop(id) {
    const video = this.videos.get(id);
    if (!video) return;
    this.videos.delete(id);
    video.gone = true;
    video.pause();
    video.removeAttribute("src");
    video.load();
    video.remove();
  }

  empty() {
    for (const id of [...this.videos.keys()]) this.drop(id);
  }
}

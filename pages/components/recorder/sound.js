// The tones that count down, and say when a recording begins and ends.

export class Sound {
  constructor() {
    /** @type {AudioContext | null} */
    this.context = null;
  }

  // Browsers allow sound only after a click.
  prepare() {
    const old = /** @type {{ webkitAudioContext?: typeof AudioContext }} */ (window);
    const Context = window.AudioContext ?? old.webkitAudioContext;
    this.context ??= Context ? new Context() : null;
    this.context?.resume();
  }

  /**
   * @param {number} hertz
   * @param {number} [seconds]
   */
  beep(hertz, seconds = 0.15) {
    if (!this.context) return;
    const tone = new OscillatorNode(this.context, { frequency: hertz });
    const loudness = new GainNode(this.context, { gain: 0.2 });
    tone.connect(loudness).connect(this.context.destination);
    tone.start();
    tone.stop(this.context.currentTime + seconds);
  }

  close() {
    this.context?.close();
  }
}

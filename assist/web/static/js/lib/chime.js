/** Two soft notes, made here: nothing is loaded. Needs a click on the page first, as browsers demand. */
export class Chime {
  #context = null;

  /** Call from the click that switches the sound on. */
  allow() {
    this.#context ??= new AudioContext();
    this.#context.resume();
  }

  play() {
    if (!this.#context) return;
    const now = this.#context.currentTime;
    for (const [frequency_hz, after_s] of [[659, 0], [523, 0.18]]) {
      const tone = this.#context.createOscillator();
      const volume = this.#context.createGain();
      tone.frequency.value = frequency_hz;
      volume.gain.setValueAtTime(0.0001, now + after_s);
      volume.gain.exponentialRampToValueAtTime(0.14, now + after_s + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, now + after_s + 0.5);
      tone.connect(volume).connect(this.#context.destination);
      tone.start(now + after_s);
      tone.stop(now + after_s + 0.55);
    }
  }
}

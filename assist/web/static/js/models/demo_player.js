import { api } from "../lib/api.js";
import { newId } from "../lib/ids.js";

const LONGEST_WAIT_S = 12;
const READING_S = 2.5;
const BUSY_PAUSE_MS = 1500;

/** Plays the customer of a scripted conversation against the real service. Dispatches `change`, `scripted` (detail: an agent's line) and `failed`. */
export class DemoPlayer extends EventTarget {
  #at = 0;
  #timer = 0;
  #sending = false;

  constructor(demo) {
    super();
    this.demo = demo;
    this.conversation = null;
    this.isPlaying = false;
    this.speed = 1;
    this.repliesItself = true;
  }

  // Lifecycle

  /** Open a conversation with the demo's customer and start to talk. Resolves to the conversation's state. */
  async start(agent) {
    const { customer, channel, language, id } = this.demo;
    const state = await api.open({ id: newId("conv"), channel, language, customer, agent: agent ?? this.demo.agent, metadata: { demo: id } });
    this.conversation = state.id;
    this.play();
    return state;
  }

  stop() {
    clearTimeout(this.#timer);
    this.isPlaying = false;
    this.#at = this.length;
    this.#changed();
  }

  get position() {
    return this.#at;
  }

  get length() {
    return this.demo.utterances.length;
  }

  get isOver() {
    return this.#at >= this.length;
  }

  // Actions

  play() {
    this.isPlaying = true;
    this.#schedule();
    this.#changed();
  }

  pause() {
    this.isPlaying = false;
    clearTimeout(this.#timer);
    this.#changed();
  }

  setSpeed(speed) {
    this.speed = speed;
    if (this.isPlaying) this.#schedule();
    this.#changed();
  }

  setRepliesItself(value) {
    this.repliesItself = value;
    if (this.isPlaying) this.#schedule();
    this.#changed();
  }

  /** Say the next line now. */
  async step() {
    const line = this.demo.utterances[this.#at];
    if (!line || this.#sending) return;
    clearTimeout(this.#timer);
    if (line.speaker === "agent" && !this.repliesItself) {
      this.dispatchEvent(new CustomEvent("scripted", { detail: line.text }));
      this.#advance();
      return;
    }
    this.#sending = true;
    try {
      line.id ??= newId("utt");
      await api.say(this.conversation, { id: line.id, speaker: line.speaker, text: line.text });
      this.#sending = false;
      this.#advance();
    } catch (error) {
      this.#sending = false;
      if (error.status === 429 || error.status === 0 || error.status === 503) this.#schedule(BUSY_PAUSE_MS);
      else {
        this.pause();
        this.dispatchEvent(new CustomEvent("failed", { detail: error }));
      }
    }
  }

  // Internal

  #advance() {
    this.#at += 1;
    if (this.isOver) this.isPlaying = false;
    else if (this.isPlaying) this.#schedule();
    this.#changed();
  }

  #schedule(wait_ms) {
    clearTimeout(this.#timer);
    const line = this.demo.utterances[this.#at];
    if (!line || !this.isPlaying) return;
    const natural_ms = Math.min(LONGEST_WAIT_S, line.wait_s ?? READING_S) * 1000 / this.speed;
    this.#timer = setTimeout(() => this.step(), wait_ms ?? natural_ms);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

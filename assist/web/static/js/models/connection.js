/* The live socket of one conversation. It only carries: what events mean is not its business. */

const OFFLINE_AFTER_MS = 2_500;
const RETRY_FIRST_MS = 500;
const RETRY_LONGEST_MS = 10_000;
const SILENCE_MS = 45_000; // two heartbeats of 20 s and some air: a socket that says nothing for so long is dead
const HIDDEN_LONG_MS = 60_000;

/** Dispatches `event` (detail: one event of the conversation), `clocks` (detail: them and the routing), `online`, `offline`. */
export class Connection extends EventTarget {
  #socket = null;
  #conversation;
  #since;
  #closed = false;
  #tries = 0;
  #retryTimer = 0;
  #offlineTimer = 0;
  #silenceTimer = 0;
  #hiddenAt = 0;
  #online = null;

  constructor(conversation, since = 0) {
    super();
    this.#conversation = conversation;
    this.#since = since;
  }

  // Lifecycle

  open() {
    window.addEventListener("online", this.#reconnectNow);
    window.addEventListener("offline", this.#drop);
    document.addEventListener("visibilitychange", this.#visibilityChanged);
    this.#connect();
  }

  close() {
    this.#closed = true;
    window.removeEventListener("online", this.#reconnectNow);
    window.removeEventListener("offline", this.#drop);
    document.removeEventListener("visibilitychange", this.#visibilityChanged);
    for (const timer of [this.#retryTimer, this.#offlineTimer, this.#silenceTimer]) clearTimeout(timer);
    this.#socket?.close();
  }

  get isOnline() {
    return this.#online === true;
  }

  // Callbacks

  #received = ({ data }) => {
    this.#listenForSilence();
    const message = JSON.parse(data);
    if (message.type === "ready") this.#setOnline();
    if (message.type === "clocks") this.dispatchEvent(new CustomEvent("clocks", { detail: message }));
    if (message.type !== "event" || message.event.seq <= this.#since) return;
    this.#since = message.event.seq;
    this.dispatchEvent(new CustomEvent("event", { detail: message.event }));
  };

  #lost = (event) => {
    if (this.#closed || event.target !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#silenceTimer);
    // A short gap is not worth a word: the banner waits, the retry does not.
    this.#offlineTimer ||= setTimeout(() => this.#setOffline(), navigator.onLine ? OFFLINE_AFTER_MS : 0);
    const pause = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** this.#tries) * (0.75 + Math.random() / 2);
    this.#tries += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#connect(), pause);
  };

  #drop = () => {
    this.#setOffline();
    this.#socket?.close();
  };

  #reconnectNow = () => {
    this.#tries = 0;
    clearTimeout(this.#retryTimer);
    if (!this.#socket) this.#connect();
  };

  // After a laptop's sleep a socket may look open and be dead: ask anew.
  #visibilityChanged = () => {
    if (document.hidden) this.#hiddenAt = Date.now();
    else if (this.#hiddenAt && Date.now() - this.#hiddenAt > HIDDEN_LONG_MS) this.#restart();
  };

  // Internal

  #connect() {
    if (this.#closed) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/v1/conversations/${encodeURIComponent(this.#conversation)}/live?since=${this.#since}`);
    socket.addEventListener("message", this.#received);
    socket.addEventListener("close", this.#lost);
    this.#socket = socket;
  }

  #restart() {
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    this.#reconnectNow();
  }

  #listenForSilence() {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#restart(), SILENCE_MS);
  }

  #setOnline() {
    clearTimeout(this.#offlineTimer);
    this.#offlineTimer = 0;
    this.#tries = 0;
    if (this.#online !== true) this.dispatchEvent(new Event("online"));
    this.#online = true;
  }

  #setOffline() {
    this.#offlineTimer = 0;
    if (this.#online !== false) this.dispatchEvent(new Event("offline"));
    this.#online = false;
  }
}

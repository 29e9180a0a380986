const RETRY_MS = 3_000;
const LOWEST = 4;

/** The supervisor's stream: the whole list, then each line that changes. Dispatches `change`, `online`, `offline`. */
export class BoardFeed extends EventTarget {
  #lines = new Map();
  #source = null;

  // Lifecycle

  open() {
    const source = new EventSource("/v1/live/board");
    source.addEventListener("snapshot", ({ data }) => {
      this.#lines = new Map(JSON.parse(data).conversations.map((line) => [line.id, line]));
      this.dispatchEvent(new Event("online"));
      this.dispatchEvent(new Event("change"));
    });
    source.addEventListener("change", ({ data }) => {
      this.#take(JSON.parse(data));
      this.dispatchEvent(new Event("change"));
    });
    source.addEventListener("error", () => {
      this.dispatchEvent(new Event("offline"));
      // The browser reconnects by itself unless the answer was a refusal or no stream.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), RETRY_MS);
    });
    this.#source = source;
  }

  close() {
    this.#source?.close();
  }

  /** Open conversations by priority, then by risk, then who has waited longest. */
  get lines() {
    return Array.from(this.#lines.values()).sort(
      (a, b) => (a.routing?.priority ?? LOWEST) - (b.routing?.priority ?? LOWEST) || b.escalation_risk - a.escalation_risk || (a.waiting_since ?? "~").localeCompare(b.waiting_since ?? "~") || a.id.localeCompare(b.id),
    );
  }

  #take(line) {
    if (line.status === "closed") this.#lines.delete(line.id);
    else this.#lines.set(line.id, line);
  }
}

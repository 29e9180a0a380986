/** What one conversation holds: its utterances in order, where it stands, whom it is with. Events go in, reads come out. */
export class Conversation {
  #rows = new Map();

  constructor(state) {
    this.id = state.id;
    this.channel = state.channel;
    this.customer = state.customer;
    this.agent = state.agent ?? null;
    this.openedAt = state.opened_at;
    this.status = state.status;
    this.reading = null;
    this.wrapUp = null;
    this.learn(state);
  }

  /** What the service says besides the events: what is known of the customer, their segment, who should have this. */
  learn(state) {
    this.known = state.known ?? [];
    this.segment = state.reading.segment;
    this.routing = state.reading.routing;
    if (this.reading) this.reading = { ...this.reading, clocks: state.reading.clocks };
  }

  /** Clocks that ran on while nobody spoke. Returns those that are over since. */
  tick(clocks, routing) {
    const over = new Set((this.reading?.clocks ?? []).filter((clock) => clock.state === "overdue").map((clock) => clock.name));
    if (this.reading) this.reading = { ...this.reading, clocks };
    this.routing = routing;
    return clocks.filter((clock) => clock.state === "overdue" && !over.has(clock.name));
  }

  get isOpen() {
    return this.status !== "closed";
  }

  /** Rows as they are shown: what is logged by `seq`, then what is still on its way. */
  get rows() {
    return Array.from(this.#rows.values()).sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || a.order - b.order);
  }

  get customerRows() {
    return this.rows.filter((row) => row.speaker === "customer" && row.emotion);
  }

  get latestEmotion() {
    return this.customerRows.at(-1)?.emotion ?? null;
  }

  row(id) {
    return this.#rows.get(id);
  }

  /** Put down what this screen is about to send; it is `pending` until the service has it. */
  addPending(utterance) {
    const row = { ...utterance, at: new Date().toISOString(), state: "pending", order: this.#rows.size, emotion: null };
    this.#rows.set(row.id, row);
    return row;
  }

  markFailed(id, message) {
    Object.assign(this.#rows.get(id), { state: "failed", error: message });
  }

  markPending(id) {
    Object.assign(this.#rows.get(id), { state: "pending", error: null });
  }

  discard(id) {
    this.#rows.delete(id);
  }

  /** An assist result, from the answer to a call or from the socket: both may come, in any order. */
  addResult(result) {
    const known = this.#rows.get(result.utterance.id);
    const text = result.utterance.text ?? known?.text ?? "";
    this.#rows.set(result.utterance.id, { ...result.utterance, text, emotion: result.emotion, state: "sent", order: known?.order ?? this.#rows.size });
    this.reading = result.conversation;
    return { isNew: known?.state !== "sent" };
  }

  close(wrapUp) {
    this.status = "closed";
    this.wrapUp = wrapUp ?? this.wrapUp;
  }
}

/** The conversations of the desk, what is unread in them, and the order in which they need a hand. */
export class Inbox {
  #entries = new Map();
  #seen = new Map();
  #isFirst = true;

  /** Replace what is known by what the service lists. What was there before the desk opened counts as read. */
  update(entries) {
    this.#entries = new Map(entries.map((entry) => [entry.id, entry]));
    if (this.#isFirst) for (const entry of entries) this.#seen.set(entry.id, entry.seq);
    this.#isFirst = false;
  }

  get(id) {
    return this.#entries.get(id);
  }

  /** Open ones first, by tenths of risk; at the same risk the one who has waited longest, then the latest. */
  get entries() {
    return Array.from(this.#entries.values()).sort(
      (a, b) =>
        Number(a.status === "closed") - Number(b.status === "closed") ||
        Math.round(b.escalation_risk * 10) - Math.round(a.escalation_risk * 10) ||
        (a.waiting_since ?? "9999").localeCompare(b.waiting_since ?? "9999") ||
        b.updated_at.localeCompare(a.updated_at) ||
        a.id.localeCompare(b.id),
    );
  }

  isUnread(id) {
    const entry = this.#entries.get(id);
    return entry?.last_speaker === "customer" && entry.seq > (this.#seen.get(id) ?? 0);
  }

  markRead(id, seq) {
    this.#seen.set(id, Math.max(seq, this.#seen.get(id) ?? 0));
  }
}

/** The cards beside a conversation: newest result first, in the order the service gave, until used, dismissed or superseded. */
export class Suggestions {
  #cards = [];
  #settled = new Set();

  get cards() {
    return this.#cards.filter((card) => card.kind !== "alert");
  }

  get alerts() {
    return this.#cards.filter((card) => card.kind === "alert");
  }

  get(id) {
    return this.#cards.find((card) => card.id === id);
  }

  /** Returns the ids that left because the conversation moved on. */
  addResult(result) {
    const gone = new Set(result.superseded);
    const left = this.#cards.filter((card) => gone.has(card.id)).map((card) => card.id);
    const fresh = result.suggestions.filter((card) => !this.#settled.has(card.id) && !this.get(card.id));
    this.#cards = [...fresh, ...this.#cards.filter((card) => !gone.has(card.id))];
    return left;
  }

  /** An outcome came in, from this screen or another one: the card has done its work. */
  settle(id) {
    this.#settled.add(id);
    this.#cards = this.#cards.filter((card) => card.id !== id);
  }

  clear() {
    this.#cards = [];
  }
}

import { survival } from "../lib/spans.js";

/* Below this share of surviving character pairs the agent has written something of their own. */
const STILL_THE_SUGGESTION = 0.3;

/** Remembers which suggestions a draft was made from, and says what became of them when it is sent. */
export class Draft {
  #inserted = [];

  insert(suggestion) {
    this.#inserted.push({ id: suggestion.id, text: suggestion.text });
  }

  holds(id) {
    return this.#inserted.some((part) => part.id === id);
  }

  /** `[{id, outcome, final_text?}]` for a text that is sent, and forgets them. */
  outcomes(sent) {
    const whole = this.#inserted.map((part) => part.text.trim()).join("\n\n");
    const result = [];
    for (const part of this.#inserted) {
      if (sent === whole) result.push({ id: part.id, outcome: "accepted" });
      else if (survival(part.text, sent) >= STILL_THE_SUGGESTION) result.push({ id: part.id, outcome: "edited", final_text: sent });
    }
    this.#inserted = [];
    return result;
  }

  clear() {
    this.#inserted = [];
  }
}

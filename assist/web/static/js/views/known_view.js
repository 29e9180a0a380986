import { el } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { t } from "../lib/i18n.js";

const FOLDED = "assist.known_folded";

/** What is known and need not be asked again, each with where it comes from, and who should have the conversation. */
export class KnownView {
  #place;

  constructor(place) {
    this.#place = place;
    place.open = localStorage.getItem(FOLDED) !== "yes";
    place.addEventListener("toggle", () => localStorage.setItem(FOLDED, place.open ? "no" : "yes"));
  }

  show({ known, routing, isOpen, reading }) {
    const hint = isOpen && reading && routing;
    this.#place.hidden = known.length === 0 && !hint;
    if (this.#place.hidden) return;
    this.#place.replaceChildren(
      el("summary", {}, icon("check"), el("strong", { class: "one-line", text: t("known.title") }), el("span", { class: "chevron" }, icon("chevron"))),
      el(
        "div",
        { class: "history-body", tabindex: 0, role: "region", aria: { label: t("known.title") } },
        known.length > 0 && el("ul", {}, known.map((one) => row(one.label, one.value, one.evidence, one.code))),
        hint && el("ul", {}, row(t("routing.title"), t("routing.hint", { queue: t(`queue.${hint.queue}`), n: hint.priority }), t(`routing.reason.${hint.reason}`), "routing")),
      ),
    );
  }
}

function row(label, value, evidence, code) {
  return el("li", { data: { known: code } }, el("span", { class: "faint", text: label }), el("span", {}, value, el("small", { text: evidence })));
}

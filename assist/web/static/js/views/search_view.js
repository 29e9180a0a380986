import { api } from "../lib/api.js";
import { debounce, el } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { t } from "../lib/i18n.js";
import { rove } from "../lib/roving.js";

const SEARCH_AFTER_MS = 220;
const LIMIT = 12;
const KINDS = ["article", "case", "phrase", "product"];
const CARD_KINDS = { article: "answer", case: "case", phrase: "calming", product: "offer" };

/** The agent's own search. Dispatches `open` and `leave` (show results or suggestions), `insert` (detail: text), `source` (detail: hit). */
export class SearchView extends EventTarget {
  #field;
  #kinds;
  #place;
  #list = el("div", { class: "cards" });
  #kind = null;
  #hits = [];
  #language = () => null;
  #searchLater = debounce(() => this.#search(), SEARCH_AFTER_MS);
  #latest = 0;
  #roveAgain;

  constructor({ field, kinds, place, language }) {
    super();
    this.#field = field;
    this.#kinds = kinds;
    this.#place = place;
    this.#language = language;
    this.#roveAgain = rove(this.#list, ".card");
    field.addEventListener("input", () => this.#changed());
    field.addEventListener("keydown", this.#keyPressed);
    place.addEventListener("keydown", (event) => { if (event.key === "Escape") this.leave(); });
    this.#list.addEventListener("click", this.#clicked);
    this.refresh();
  }

  get isOpen() {
    return !this.#place.hidden;
  }

  focus() {
    this.#field.focus();
    this.#field.select();
  }

  leave() {
    this.#field.value = "";
    this.#latest += 1;
    this.#searchLater.cancel();
    this.#show(false);
    this.dispatchEvent(new Event("leave"));
  }

  refresh() {
    this.#drawKinds();
    if (this.isOpen) this.#draw();
  }

  #keyPressed = (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") { event.preventDefault(); this.leave(); }
    if (event.key === "ArrowDown" && this.isOpen) { event.preventDefault(); this.#list.querySelector(".card")?.focus(); }
    if (event.key === "Enter") { event.preventDefault(); this.#searchLater.cancel(); this.#search(); }
  };

  #clicked = (event) => {
    const act = event.target.closest("[data-act]")?.dataset.act;
    const hit = this.#hits[event.target.closest("[data-hit]")?.dataset.hit];
    if (!act || !hit) return;
    if (act === "insert") this.dispatchEvent(new CustomEvent("insert", { detail: hit.text }));
    else this.dispatchEvent(new CustomEvent("source", { detail: hit }));
  };

  #changed() {
    if (this.#field.value.trim() === "") { this.leave(); return; }
    this.#searchLater();
  }

  async #search() {
    const query = this.#field.value.trim();
    if (!query) return;
    this.#latest += 1;
    const turn = this.#latest;
    if (!this.isOpen) { this.#show(true); this.#message("search", t("search.busy")); }
    const kinds = this.#kind ? [this.#kind] : KINDS;
    try {
      const answer = await api.search({ query, kinds, language: this.#language(), limit: LIMIT });
      if (turn !== this.#latest) return;
      this.#hits = answer.hits;
      this.#draw();
    } catch {
      if (turn === this.#latest) this.#message("alert", t("search.failed"), t("search.failed_hint"));
    }
  }

  #draw() {
    if (this.#hits.length === 0) { this.#message("search", t("search.nothing"), t("search.nothing_hint")); return; }
    this.#list.replaceChildren(...this.#hits.map((hit, index) => this.#card(hit, index)));
    this.#place.replaceChildren(this.#list);
    this.#roveAgain();
  }

  #card(hit, index) {
    const level = el("i", { aria: { hidden: true } });
    level.style.setProperty("--level", hit.relevance);
    return el(
      "article",
      { class: "card", tabindex: -1, data: { hit: index, kind: CARD_KINDS[hit.kind] }, aria: { label: `${t(`source.${hit.kind}`)}: ${hit.title}` } },
      el("div", { class: "card-head" }, el("span", { class: "card-kind" }, icon(hit.kind), t(`source.${hit.kind}`)), hit.kind !== "phrase" && el("h3", { class: "card-title one-line", lang: hit.language, title: hit.title, text: hit.title }), el("span", { class: "card-relevance", title: t("cards.relevance", { percent: Math.round(hit.relevance * 100) }) }, level, `${Math.round(hit.relevance * 100)}%`)),
      el("p", { class: "card-text clamped", lang: hit.language, text: hit.excerpt || hit.text }),
      hit.why && el("p", { class: "card-why", text: t("search.why", { why: hit.why }) }),
      el(
        "div",
        { class: "card-actions" },
        hit.text && el("button", { class: "button button-small button-tint", type: "button", data: { act: "insert" }, text: t("cards.insert") }),
        el("button", { class: "button button-small button-plain", type: "button", data: { act: "source" }, text: t("search.read") }),
      ),
    );
  }

  #drawKinds() {
    this.#kinds.replaceChildren(
      ...[null, ...KINDS].map((kind) =>
        el("button", { class: "button button-small", type: "button", aria: { pressed: kind === this.#kind }, text: t(kind ? `source.${kind}` : "search.all"), on: { click: () => { this.#kind = kind; this.#drawKinds(); this.#search(); } } }),
      ),
    );
  }

  #message(name, title, hint) {
    this.#place.replaceChildren(el("div", { class: "empty" }, icon(name), el("strong", { text: title }), hint && el("p", { text: hint })));
  }

  #show(isOpen) {
    if (isOpen === this.isOpen) return;
    this.#place.hidden = !isOpen;
    this.#kinds.hidden = !isOpen;
    this.dispatchEvent(new Event("open"));
  }
}

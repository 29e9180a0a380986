import { el } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { t, tOr } from "../lib/i18n.js";
import { rove } from "../lib/roving.js";
import { date } from "../lib/time.js";

const SHOWN = 5;
const ALERTS_SHOWN = 2;
const REASONS = ["not_relevant", "wrong", "badly_timed", "badly_worded", "already_done"];
const LEAVING_MS = 260;
const LONG_TEXT = 150;
const LONG_TEXT_LATIN = 300;

/** Dispatches `insert` and `edit` (detail: suggestion), `dismiss` (detail: {suggestion, reason}), `done` (an alert was seen to), `source`. */
export class SuggestionsView extends EventTarget {
  #place;
  #alerts = el("div", { class: "cards" });
  #cards = el("div", { class: "cards" });
  #moreAlerts = el("div");
  #rest = el("div");
  #showsAll = false;
  #showsAllAlerts = false;
  #drawn = new Map();
  #visible = [];
  #roveAgain;
  #unfold = new Set();

  constructor(place) {
    super();
    this.#place = place;
    place.addEventListener("click", this.#clicked);
    this.#roveAgain = rove(this.#cards, ".card");
  }

  /** The card that key `digit` (1–9) acts on. */
  at(digit) {
    return this.#visible[digit - 1];
  }

  empty(name, title, hint) {
    this.#drawn.clear();
    this.#visible = [];
    this.#place.replaceChildren(el("div", { class: "empty" }, icon(name), el("strong", { text: title }), hint && el("p", { text: hint })));
  }

  loading() {
    this.#drawn.clear();
    const line = (lines) => { const node = el("div", { class: "skeleton" }); node.style.height = `${lines * 28}px`; return node; };
    this.#place.replaceChildren(el("div", { class: "cards", aria: { busy: true } }, line(5), line(4), line(3)));
  }

  refresh() {
    this.#drawn.clear();
    this.#alerts.replaceChildren();
    this.#cards.replaceChildren();
  }

  show(alerts, cards) {
    if (this.#alerts.parentNode !== this.#place) this.#place.replaceChildren(this.#alerts, this.#moreAlerts, this.#cards, this.#rest);
    this.#visible = this.#showsAll ? cards : cards.slice(0, SHOWN);
    this.#sync(this.#alerts, this.#showsAllAlerts ? alerts : alerts.slice(0, ALERTS_SHOWN), (card) => this.#alert(card));
    this.#sync(this.#cards, this.#visible, (card) => this.#card(card));
    this.#cards.querySelectorAll(".card:not(.card-leaving) .insert .key").forEach((key, index) => { key.textContent = index < 9 ? String(index + 1) : ""; key.hidden = index >= 9; });
    this.#alerts.hidden = alerts.length === 0;
    fold(this.#moreAlerts, alerts.length - ALERTS_SHOWN, this.#showsAllAlerts, "cards.more_alerts", () => { this.#showsAllAlerts = !this.#showsAllAlerts; this.show(alerts, cards); });
    fold(this.#rest, cards.length - SHOWN, this.#showsAll, "cards.more", () => { this.#showsAll = !this.#showsAll; this.show(alerts, cards); });
    this.#roveAgain();
  }

  // Internal

  /** Bring the nodes in `parent` in line with `cards`; what is gone fades, what stays is not redrawn. */
  #sync(parent, cards, draw) {
    const wanted = new Set(cards.map((card) => card.id));
    for (const node of Array.from(parent.children)) {
      if (wanted.has(node.dataset.suggestion) || node.classList.contains("card-leaving")) continue;
      const hadFocus = node.contains(document.activeElement);
      this.#drawn.delete(node.dataset.suggestion);
      node.classList.add("card-leaving");
      node.inert = true;
      setTimeout(() => node.remove(), LEAVING_MS);
      if (hadFocus) parent.querySelector(".card:not(.card-leaving)")?.focus();
    }
    let after = null;
    for (const card of cards) {
      let node = this.#drawn.get(card.id)?.node;
      if (!node) {
        node = draw(card);
        node.classList.add("card-arriving");
        this.#drawn.set(card.id, { node, card });
      }
      const place = after ? after.nextSibling : parent.firstChild;
      if (place !== node) parent.insertBefore(node, place);
      after = node;
    }
  }

  #card(card) {
    const node = this.#frame(card);
    const head = node.querySelector(".card-head");
    const level = el("i", { aria: { hidden: true } });
    level.style.setProperty("--level", card.relevance);
    const percent = Math.round(card.relevance * 100);
    head.append(el("span", { class: "card-relevance", title: t("cards.relevance", { percent }) }, level, el("span", { class: "visually-hidden", text: t("cards.relevance", { percent }) }), el("span", { aria: { hidden: true }, text: `${percent}%` })));
    if (card.slots_missing?.length > 0) node.append(el("p", { class: "card-missing", text: t("cards.missing", { slots: card.slots_missing.join(", ") }) }));
    node.append(
      el(
        "div",
        { class: "card-actions" },
        el("button", { class: "button button-small button-tint insert", type: "button", data: { act: "insert" }, title: t("cards.insert_title") }, el("span", { class: "key", aria: { hidden: true } }), t("cards.insert")),
        el("button", { class: "button button-small button-plain", type: "button", data: { act: "edit" }, text: t("cards.edit") }),
        card.source.type !== "rule" && el("button", { class: "card-source", type: "button", data: { act: "source" }, title: card.source.id }, icon(card.source.type), el("span", { class: "one-line", text: t(`source.${card.source.type}`) })),
        dismissButton(card),
      ),
    );
    return node;
  }

  #alert(card) {
    const node = this.#frame(card);
    node.querySelector(".card-head").append(el("div", { class: "card-actions" }, el("button", { class: "button button-small", type: "button", data: { act: "done" } }, icon("check"), t("cards.seen")), dismissButton(card)));
    return node;
  }

  #frame(card) {
    const isOpen = this.#unfold.has(card.id);
    // A phrase's title and an alert's kind only repeat what stands beside them.
    const title = card.source.type === "phrase" ? "" : card.title;
    const isAlert = card.kind === "alert";
    const isLong = Array.from(card.text).length > (card.language === "en" ? LONG_TEXT_LATIN : LONG_TEXT);
    return el(
      "article",
      { class: "card", tabindex: -1, data: { suggestion: card.id, kind: card.kind }, aria: { label: `${t(`kind.${card.kind}`)}: ${card.title}` } },
      el("div", { class: "card-head" }, el("span", { class: "card-kind" }, icon(card.kind), el("span", { class: isAlert && "visually-hidden", text: t(`kind.${card.kind}`) })), title && el("h3", { class: "card-title one-line", title, lang: card.language, text: title })),
      el("p", { class: isLong && !isOpen ? "card-text clamped" : "card-text", lang: card.language, text: card.text }),
      isLong && el("button", { class: "card-more", type: "button", data: { act: "unfold" }, aria: { expanded: isOpen }, text: t(isOpen ? "cards.less_text" : "cards.more_text") }),
      card.reason && (!isAlert || card.source.id.includes(":")) && el("p", { class: "card-why", lang: card.language, text: card.reason }),
    );
  }

  #clicked = (event) => {
    const button = event.target.closest("[data-act]");
    const node = button?.closest("[data-suggestion]");
    const card = node && this.#drawn.get(node.dataset.suggestion)?.card;
    if (!card) return;
    const { act, reason } = button.dataset;
    if (act === "dismiss") this.#askReason(node);
    else if (act === "reason") this.dispatchEvent(new CustomEvent("dismiss", { detail: { suggestion: card, reason: reason || null } }));
    else if (act === "unfold") this.#toggleText(node, card, button);
    else this.dispatchEvent(new CustomEvent(act, { detail: card }));
  };

  /** The reason is one more click, never a hurdle: the last choice gives none. */
  #askReason(node) {
    const actions = node.querySelector(".card-actions");
    const back = () => { row.replaceWith(actions); actions.querySelector(".dismiss").focus(); };
    const row = el(
      "div",
      { class: "card-reasons", role: "group", aria: { label: t("dismiss.why") }, on: { keydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); back(); } } } },
      el("span", { text: t("dismiss.why") }),
      REASONS.map((reason) => el("button", { class: "button button-small", type: "button", data: { act: "reason", reason }, text: t(`dismiss.${reason}`) })),
      el("button", { class: "button button-small button-plain", type: "button", data: { act: "reason" }, text: t("dismiss.none") }),
    );
    actions.replaceWith(row);
    row.querySelector("button").focus();
  }

  #toggleText(node, card, button) {
    const isOpen = !this.#unfold.delete(card.id);
    if (isOpen) this.#unfold.add(card.id);
    node.querySelector(".card-text").classList.toggle("clamped", !isOpen);
    button.textContent = t(isOpen ? "cards.less_text" : "cards.more_text");
    button.setAttribute("aria-expanded", String(isOpen));
  }
}

function fold(place, hidden, isOpen, words, toggle) {
  place.replaceChildren(...(hidden > 0 ? [el("button", { class: "button button-plain button-small cards-more", type: "button", aria: { expanded: isOpen }, text: isOpen ? t("cards.fewer") : t(words, { n: hidden }), on: { click: toggle } })] : []));
}

function dismissButton(card) {
  return el("button", { class: "button button-small button-plain button-icon dismiss", type: "button", data: { act: "dismiss" }, title: t("cards.dismiss"), aria: { label: t("cards.dismiss_label", { title: card.title }) } }, icon("close"));
}

/** What the source dialog shows. */
export function sourceBody(source, language) {
  const fact = (name, value) => value && [el("dt", { text: t(name) }), el("dd", {}, value)];
  return [
    source.excerpt && el("p", { class: "source-text", lang: language, text: source.excerpt }),
    el(
      "dl",
      { class: "facts" },
      fact("source.type", tOr(`source.${source.type}`, source.type)),
      fact("source.id", source.id),
      fact("source.confirmed", source.confirmed_at && date(source.confirmed_at)),
      fact("source.tried", source.tried?.length > 0 && el("ul", { lang: language }, source.tried.map((step) => el("li", { text: step })))),
      fact("source.outcome", source.outcome && tOr(`case.${source.outcome}`, source.outcome)),
      fact("source.csat", source.csat && t("source.csat_of", { n: source.csat })),
      fact("source.version", source.version),
      /^https?:\/\//.test(source.url ?? "") ? fact("source.url", el("a", { href: source.url, target: "_blank", rel: "noopener noreferrer", text: source.url })) : null,
    ),
  ].filter(Boolean);
}

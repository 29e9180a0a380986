import { api } from "./lib/api.js";
import { setUpChrome } from "./lib/chrome.js";
import { byId, debounce, el, isEditable } from "./lib/dom.js";
import { emotionChip, flagBadges } from "./lib/feeling.js";
import { icon } from "./lib/icons.js";
import { t, tOr } from "./lib/i18n.js";
import { rove } from "./lib/roving.js";
import { dateTime } from "./lib/time.js";
import { FilterForm } from "./views/filter_form.js";

const PAGE = 50;
const CONTEXT_BEFORE = 4;
const CONTEXT_AFTER = 2;
const VERDICTS = ["helpful", "wrong", "badly_timed", "badly_worded", "unsafe"];
const COLUMNS = ["review.time", "review.kind", "review.text", "review.emotion", "review.outcome", "review.state"];

const FILTERS = [
  { name: "since", type: "date", label: "review.since" },
  { name: "until", type: "date", label: "review.until" },
  { name: "kind", label: "review.kind", prefix: "kind", values: ["answer", "case", "calming", "offer", "question", "alert", "next_step"] },
  { name: "emotion", label: "review.emotion", prefix: "emotion", values: ["neutral", "satisfied", "confused", "anxious", "disappointed", "frustrated", "angry", "unknown"] },
  { name: "outcome", label: "review.outcome", prefix: "outcome", values: ["shown", "accepted", "edited", "dismissed", "ignored"] },
  { name: "review_state", label: "review.state", prefix: "review.state", values: ["open", "reviewed"] },
  { name: "agent", type: "text", label: "review.agent" },
  { name: "article", type: "text", label: "review.article" },
];

/** The suggestion log and the verdicts on it. */
class Review {
  #rows = [];
  #cursor = null;
  #current = null;
  #filter = {};
  #turn = 0;
  #roveAgain = () => {};
  #contexts = new Map();

  async start() {
    this.form = new FilterForm(byId("filters"), FILTERS);
    this.form.addEventListener("change", debounce(() => this.#load(), 250));
    this.#roveAgain = rove(byId("log-rows"), "tr", { letters: true });
    byId("log-rows").addEventListener("focusin", (event) => this.#choose(event.target.closest("tr")?.dataset.suggestion));
    byId("log-rows").addEventListener("click", (event) => event.target.closest("tr")?.focus());
    byId("verdict").addEventListener("submit", (event) => event.preventDefault());
    byId("verdict-buttons").addEventListener("click", (event) => { const verdict = event.target.closest("button")?.dataset.verdict; if (verdict) this.#judge(verdict); });
    document.addEventListener("keydown", (event) => this.#keyPressed(event));
    document.addEventListener("assist:language", () => this.#redraw());
    await setUpChrome();
    this.#redraw();
    await this.#load();
  }

  // Actions

  async #load({ more = false } = {}) {
    this.#turn += 1;
    const turn = this.#turn;
    if (!more) {
      this.#rows = [];
      this.#cursor = null;
      this.#filter = asFilter(this.form.values);
      this.#message(null, t("loading"));
    }
    try {
      const page = await api.suggestions({ ...this.#filter, limit: PAGE, cursor: this.#cursor });
      if (turn !== this.#turn) return;
      this.#rows.push(...page.suggestions);
      this.#cursor = page.next_cursor;
    } catch (error) {
      if (turn === this.#turn) this.#message("alert", t(error.status === 403 ? "review.forbidden" : "error.load"), error.status === 422 ? error.message : t("error.try_again"));
      return;
    }
    this.#drawLog();
    if (!more) this.#choose(this.#rows.find((row) => row.id === this.#current)?.id ?? this.#rows[0]?.id);
  }

  #choose(id) {
    if (!id || id !== this.#current) byId("note").value = "";
    if (id === this.#current && byId("detail").childElementCount > 0) return;
    this.#current = id ?? null;
    byId("verdict-state").textContent = "";
    for (const row of byId("log-rows").children) row.setAttribute("aria-selected", String(row.dataset.suggestion === id));
    this.#drawDetail();
  }

  async #judge(verdict) {
    const row = this.#row;
    if (!row) return;
    const state = byId("verdict-state");
    try {
      const review = await api.review(row.id, { verdict, note: byId("note").value.trim() });
      row.reviews = [...row.reviews, review];
      row.review_state = "reviewed";
    } catch (error) {
      state.textContent = t(error.status === 403 ? "review.forbidden" : "review.failed");
      return;
    }
    byId("note").value = "";
    this.#drawLog();
    this.#drawDetail();
    state.textContent = t("review.saved", { verdict: t(`verdict.${verdict}`) });
  }

  #move(step) {
    const at = this.#rows.findIndex((row) => row.id === this.#current);
    const next = this.#rows[at + step];
    if (next) this.#node(next.id)?.focus();
  }

  // Callbacks

  #keyPressed(event) {
    if (isEditable(event.target) || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "j" || event.key === "k") {
      if (!event.target.closest("#log-rows")) this.#move(event.key === "j" ? 1 : -1);
      return;
    }
    const verdict = VERDICTS[Number(event.key) - 1];
    if (!verdict || !this.#row) return;
    event.preventDefault();
    this.#judge(verdict);
  }

  // Internal

  get #row() {
    return this.#rows.find((row) => row.id === this.#current);
  }

  #node(id) {
    return byId("log-rows").querySelector(`[data-suggestion="${CSS.escape(id)}"]`);
  }

  #redraw() {
    byId("log-head").replaceChildren(...COLUMNS.map((key) => el("th", { scope: "col", text: t(key) })));
    byId("verdict-buttons").replaceChildren(...VERDICTS.map((verdict, index) => el("button", { class: "button", type: "button", data: { verdict } }, el("span", { class: "key", aria: { hidden: true }, text: String(index + 1) }), t(`verdict.${verdict}`))));
    this.form.draw();
    if (this.#rows.length > 0) this.#drawLog();
    this.#drawDetail();
  }

  #drawLog() {
    const focused = document.activeElement?.dataset?.suggestion;
    byId("log-note").textContent = this.#rows.length ? t("review.count", { n: this.#rows.length }) : "";
    if (this.#rows.length === 0) { this.#message("search", t("review.empty"), t("review.empty_hint")); return; }
    byId("log-rows").replaceChildren(...this.#rows.map((row) => this.#line(row)));
    this.#roveAgain();
    if (focused) this.#node(focused)?.focus({ preventScroll: true });
    byId("log-foot").replaceChildren(
      this.#cursor
        ? el("button", { class: "button", type: "button", text: t("review.more"), on: { click: () => this.#load({ more: true }) } })
        : el("span", { class: "faint", text: t("review.end") }),
    );
  }

  #line(row) {
    return el(
      "tr",
      { tabindex: -1, aria: { selected: row.id === this.#current }, data: { suggestion: row.id, kind: row.kind } },
      el("td", { class: "faint", text: dateTime(row.at) }),
      el("td", {}, el("span", { class: "card-kind" }, icon(row.kind), t(`kind.${row.kind}`))),
      el("td", { class: "text one-line", lang: row.language, text: row.text }),
      el("td", {}, row.emotion && emotionChip({ label: row.emotion, intensity: 0 }, { plain: true })),
      el("td", { text: t(`outcome.${row.outcome}`) }),
      el("td", {}, row.reviews.length ? el("span", { class: "badge", text: t(`verdict.${row.reviews.at(-1).verdict}`) }) : el("span", { class: "faint", text: t("review.state.open") })),
    );
  }

  #message(name, title, hint) {
    byId("log-rows").replaceChildren();
    byId("log-note").textContent = "";
    byId("log-foot").replaceChildren(el("div", { class: "empty" }, name && icon(name), el("strong", { text: title }), hint && el("p", { text: hint })));
    if (name) this.#choose(null);
  }

  #drawDetail() {
    const row = this.#row;
    byId("verdict").hidden = !row;
    if (!row) {
      byId("detail").replaceChildren(el("div", { class: "empty" }, icon("eye"), el("strong", { text: t("review.pick") }), el("p", { text: t("review.pick_hint") })));
      return;
    }
    const context = el("ul", { class: "context" });
    const section = (title, ...content) => el("section", {}, el("h2", { text: t(title) }), content);
    byId("detail").replaceChildren(
      ...[
        el("div", { class: "meta-line" }, el("span", { class: "card-kind", data: { kind: row.kind } }, icon(row.kind), t(`kind.${row.kind}`)), row.emotion && emotionChip({ label: row.emotion, intensity: 0 }), flagBadges(row.flags), el("span", { class: "badge", text: t(`outcome.${row.outcome}`) })),
        row.utterance && section("review.utterance", el("p", { class: "quote", text: row.utterance.text })),
        section("review.suggestion", el("p", { class: "quote", lang: row.language, text: row.text })),
        row.final_text && section("review.final", el("p", { class: "quote", text: row.final_text })),
        section("review.why", el("p", { class: "soft", text: `${row.reason} · ${t("cards.relevance", { percent: Math.round(row.relevance * 100) })}` })),
        row.conversation_id && section("review.context", context),
        section("review.source", row.source.excerpt && el("p", { class: "quote", lang: row.language, text: row.source.excerpt }), facts([["source.type", tOr(`source.${row.source.type}`, row.source.type)], ["source.id", row.source.id], ["source.version", row.source.version]])),
        row.versions && section("review.made_with", facts([["review.models", row.versions.models], ["review.index", row.versions.index], ["review.policy", row.versions.policy], ["review.agent", row.agent_id]])),
        row.reviews.length > 0 && section("review.verdicts", el("ul", { class: "context" }, row.reviews.map((review) => el("li", {}, el("span", { text: t(`verdict.${review.verdict}`) }), el("span", { text: [review.note, review.reviewer, dateTime(review.at)].filter(Boolean).join(" · ") }))))),
      ].filter(Boolean),
    );
    byId("detail").scrollTop = 0;
    for (const button of byId("verdict-buttons").children) button.setAttribute("aria-pressed", String(row.reviews.at(-1)?.verdict === button.dataset.verdict));
    if (row.conversation_id) this.#fillContext(context, row);
  }

  async #fillContext(place, row) {
    let said = this.#contexts.get(row.conversation_id);
    if (!said) {
      const answer = await api.events(row.conversation_id, 0).catch(() => null);
      said = (answer?.events ?? []).filter((event) => event.type === "utterance.added").map((event) => event.data.utterance);
      this.#contexts.set(row.conversation_id, said);
    }
    const at = said.findIndex((utterance) => utterance.id === row.utterance?.id);
    if (at < 0) { place.closest("section")?.remove(); return; }
    const near = said.slice(Math.max(0, at - CONTEXT_BEFORE), at + CONTEXT_AFTER + 1);
    place.replaceChildren(...near.map((utterance) => el("li", { aria: { current: utterance.id === row.utterance.id } }, el("span", { text: t(`speaker.${utterance.speaker}`) }), el("span", { text: utterance.text }))));
  }
}

function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", { text: t(name) }), el("dd", { text: value })]));
}

/** Days as the reviewer means them, midnight to midnight where they are, as the service wants them. */
function asFilter(values) {
  const midnight = (day, days_later) => {
    if (!day) return null;
    const [year, month, date] = day.split("-").map(Number);
    return new Date(year, month - 1, date + days_later).toISOString();
  };
  return { ...values, since: midnight(values.since, 0), until: midnight(values.until, 1) };
}

new Review().start();

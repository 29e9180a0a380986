import { el } from "../lib/dom.js";
import { emotionChip, flagBadges } from "../lib/feeling.js";
import { icon } from "../lib/icons.js";
import { t } from "../lib/i18n.js";
import { pieces } from "../lib/spans.js";
import { clockTime, day, sameDay } from "../lib/time.js";

const NEAR_END_PX = 120;
const STRONG_EVIDENCE = 0.5;
const LANGUAGE_TAGS = { "zh-Hans": "zh-Hans", "zh-Hant": "zh-Hant", en: "en" };

/** What was said. Keeps the reader's place: scrolls only if they were near the end. Dispatches `retry` and `discard` (detail: utterance id). */
export class TranscriptView extends EventTarget {
  #frame;
  #list = el("ol");
  #more;
  #rows = new Map();
  #conversation = null;

  constructor(frame, more) {
    super();
    this.#frame = frame;
    this.#more = more;
    more.addEventListener("click", () => this.scrollToEnd());
    frame.addEventListener("scroll", () => { if (this.#isNearEnd) this.#more.hidden = true; }, { passive: true });
    // A composer that grows or a window that shrinks must not push the newest row out of sight.
    let wasNearEnd = true;
    frame.addEventListener("scroll", () => { wasNearEnd = this.#isNearEnd; }, { passive: true });
    new ResizeObserver(() => { if (wasNearEnd) this.scrollToEnd(); }).observe(frame);
  }

  empty(title, hint, ...actions) {
    this.#conversation = null;
    this.#more.hidden = true;
    this.#frame.replaceChildren(el("div", { class: "empty" }, icon("chat"), el("strong", { text: title }), hint && el("p", { text: hint }), actions));
  }

  loading() {
    this.#conversation = null;
    this.#frame.replaceChildren();
  }

  show(conversation, { redraw = false } = {}) {
    const isOther = this.#conversation !== conversation.id;
    if (isOther || redraw) {
      this.#rows.clear();
      this.#list.replaceChildren();
      this.#conversation = conversation.id;
      this.#frame.replaceChildren(this.#list);
      if (isOther) this.#more.hidden = true;
    }
    const wasNearEnd = isOther || this.#isNearEnd;
    const rows = conversation.rows;
    const known = new Set(rows.map((row) => row.id));
    for (const [id, drawn] of this.#rows) if (!known.has(id)) { drawn.node.remove(); this.#rows.delete(id); }
    let before = null;
    let arrived = null;
    for (const row of rows) {
      const key = [row.state, row.emotion?.label, row.seq, row.error, row.text].join();
      let drawn = this.#rows.get(row.id);
      if (drawn?.key !== key) {
        const node = this.#row(row, before);
        if (drawn) drawn.node.replaceWith(node);
        else { if (!isOther && !redraw) node.classList.add("row-arriving"); arrived = row; }
        drawn = { key, node };
        this.#rows.set(row.id, drawn);
      }
      const place = before ? this.#rows.get(before.id).node.nextSibling : this.#list.firstChild;
      if (place !== drawn.node) this.#list.insertBefore(drawn.node, place);
      before = row;
    }
    if (wasNearEnd || arrived?.state === "pending") this.scrollToEnd();
    else if (arrived) this.#more.hidden = false;
  }

  scrollToEnd() {
    this.#frame.scrollTop = this.#frame.scrollHeight;
    this.#more.hidden = true;
  }

  /** Bring a row into view; the focus marks it. */
  reveal(utterance) {
    const row = this.#rows.get(utterance)?.node;
    if (!row) return;
    row.scrollIntoView({ block: "center" });
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
  }

  get #isNearEnd() {
    return this.#frame.scrollHeight - this.#frame.scrollTop - this.#frame.clientHeight < NEAR_END_PX;
  }

  #row(row, before) {
    const isNewDay = before === null || !sameDay(before.at, row.at);
    return el(
      "li",
      { class: `row row-${row.speaker} row-${row.state}`, data: { utterance: row.id, emotion: row.emotion?.label } },
      isNewDay && el("span", { class: "day visually-hidden", text: day(row.at) }),
      el("span", { class: "visually-hidden", text: t(`speaker.${row.speaker}`) }),
      bubble(row),
      row.speaker !== "system" && this.#foot(row),
    );
  }

  #foot(row) {
    if (row.state === "failed") {
      return el(
        "div",
        { class: "row-foot" },
        el("span", { class: "row-error", role: "alert" }, icon("alert"), row.error || t("row.failed")),
        el("button", { class: "button button-small", type: "button", on: { click: () => this.dispatchEvent(new CustomEvent("retry", { detail: row.id })) } }, icon("retry"), t("row.retry")),
        el("button", { class: "button button-small button-plain", type: "button", text: t("row.discard"), on: { click: () => this.dispatchEvent(new CustomEvent("discard", { detail: row.id })) } }),
      );
    }
    return el(
      "div",
      { class: "row-foot" },
      row.emotion && emotionChip(row.emotion),
      row.emotion && flagBadges(row.emotion.flags),
      row.speaker === "bot" && el("span", { text: t("speaker.bot") }),
      row.state === "pending" ? el("span", { text: t("row.pending") }) : el("time", { datetime: row.at, text: clockTime(row.at) }),
    );
  }
}

function bubble(row) {
  const spans = row.emotion?.evidence ?? [];
  return el(
    "p",
    { class: "bubble", lang: LANGUAGE_TAGS[row.language] },
    pieces(row.text, spans).map(({ text, span }) =>
      span ? el("mark", { class: "evidence", data: { weight: span.weight >= STRONG_EVIDENCE ? "strong" : "weak" }, title: t("emotion.evidence"), text }) : text,
    ),
  );
}

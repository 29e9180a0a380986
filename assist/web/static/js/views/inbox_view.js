import { el } from "../lib/dom.js";
import { emotionChip, flagBadges, riskLevel, tierBadge } from "../lib/feeling.js";
import { icon } from "../lib/icons.js";
import { t, tOr } from "../lib/i18n.js";
import { rove } from "../lib/roving.js";
import { duration } from "../lib/time.js";

const LONG_WAIT_MS = 60_000; // three of four shoppers expect an answer within a minute

/** The list of conversations. Dispatches `choose` (detail: conversation id). */
export class InboxView extends EventTarget {
  #place;
  #count;
  #list = el("ul");
  #roveAgain;
  #drawn = "";

  constructor(place, count) {
    super();
    this.#place = place;
    this.#count = count;
    this.#roveAgain = rove(this.#list, ".inbox-entry", { letters: true });
  }

  show(inbox, current) {
    const entries = inbox.entries;
    this.#count.textContent = entries.filter((entry) => entry.status !== "closed").length || "";
    if (entries.length === 0) {
      this.#drawn = "";
      this.#place.replaceChildren(el("div", { class: "empty" }, icon("inbox"), el("strong", { text: t("inbox.empty") }), el("p", { text: t("inbox.empty_hint") })));
      return;
    }
    // Redrawing under the pointer or the focus is only worth it when something has changed.
    const now = Date.now();
    const drawn = JSON.stringify([entries, current, document.documentElement.lang, entries.map((entry) => [inbox.isUnread(entry.id), waited(entry, now)])]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = document.activeElement?.dataset?.conversation;
    this.#list.replaceChildren(...entries.map((entry) => el("li", {}, this.#entry(entry, inbox.isUnread(entry.id), entry.id === current, now))));
    if (this.#list.parentNode !== this.#place) this.#place.replaceChildren(this.#list);
    this.#roveAgain();
    if (focused) this.#list.querySelector(`[data-conversation="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  failed() {
    this.#drawn = "";
    this.#place.replaceChildren(el("div", { class: "empty" }, icon("alert"), el("strong", { text: t("error.load") }), el("p", { text: t("error.retrying") })));
  }

  #entry(entry, unread, isCurrent, now) {
    const waiting = waited(entry, now);
    const isClosed = entry.status === "closed";
    return el(
      "button",
      {
        class: "inbox-entry",
        type: "button",
        tabindex: -1,
        aria: { current: isCurrent },
        data: { conversation: entry.id, risk: riskLevel(entry.escalation_risk), unread: unread },
        on: { click: () => this.dispatchEvent(new CustomEvent("choose", { detail: entry.id })) },
      },
      el("span", { class: "inbox-name" }, icon(entry.channel), el("span", { class: "visually-hidden", text: tOr(`channel.${entry.channel}`, entry.channel) }), el("span", { class: "one-line", text: entry.customer.name || entry.customer.id }), tierBadge(entry.customer.tier)),
      isClosed
        ? el("span", { class: "inbox-when", text: t("inbox.closed") })
        : waiting && el("span", { class: "inbox-when", data: { waiting: waiting.isLong ? "long" : "short" }, title: t("inbox.waiting") }, waiting.words),
      el("span", { class: "inbox-text one-line", text: entry.last_text || t("inbox.silent") }),
      el(
        "span",
        { class: "inbox-marks" },
        entry.emotion && emotionChip({ label: entry.emotion, intensity: entry.intensity }, { plain: true }),
        flagBadges(entry.flags),
        unread && el("span", { class: "badge badge-count", text: t("inbox.unread") }),
      ),
    );
  }
}

function waited(entry, now) {
  if (!entry.waiting_since || entry.status === "closed") return null;
  const length_ms = now - Date.parse(entry.waiting_since);
  return { words: duration(length_ms), isLong: length_ms > LONG_WAIT_MS };
}

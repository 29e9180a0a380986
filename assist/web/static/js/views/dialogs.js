import { byId, el } from "../lib/dom.js";
import { emotionChip, flagBadges } from "../lib/feeling.js";
import { inLanguage, language, t, tOr } from "../lib/i18n.js";
import { newId } from "../lib/ids.js";
import { dateTime } from "../lib/time.js";

const SHORTCUTS = [
  ["shortcuts.insert", ["Alt", "1–9"]],
  ["shortcuts.edit", ["Alt", "Shift", "1–9"]],
  ["shortcuts.digits", ["1–9"]],
  ["shortcuts.dismiss", ["Alt", "X"]],
  ["shortcuts.send", ["Enter"]],
  ["shortcuts.line", ["Shift", "Enter"]],
  ["shortcuts.search", ["/"]],
  ["shortcuts.search", ["Ctrl", "K"]],
  ["shortcuts.composer", ["Esc"]],
  ["shortcuts.next", ["Alt", "↓"]],
  ["shortcuts.previous", ["Alt", "↑"]],
  ["shortcuts.list", ["↑", "↓"]],
  ["shortcuts.help", ["?"]],
];

/** Every `data-close` button and a click on the backdrop close their dialog. */
export function setUpDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
  }
}

export function showShortcuts() {
  byId("shortcut-list").replaceChildren(...SHORTCUTS.flatMap(([words, keys]) => [el("dt", {}, keys.map((key) => el("kbd", { class: "key", text: key }))), el("dd", { text: t(words) })]));
  byId("shortcuts").showModal();
}

export function showSource(title, body) {
  byId("source-title").textContent = title;
  byId("source-body").replaceChildren(...body);
  byId("source").showModal();
}

/** Pick a demo conversation; `choose` gets its id. */
export async function showDemos(load, choose) {
  const dialog = byId("demos");
  const list = byId("demo-list");
  list.replaceChildren(el("p", { class: "soft", text: t("loading") }));
  dialog.showModal();
  try {
    const demos = await load();
    list.replaceChildren(...demos.map((demo) => el("button", { class: "demo-choice", type: "button", on: { click: () => { dialog.close(); choose(demo.id); } } }, el("strong", { text: inLanguage(demo.title) }), el("span", { text: [tOr(`spoken.${demo.language}`, demo.language), tOr(`channel.${demo.channel}`, demo.channel)].join(" · ") }))));
    list.querySelector("button")?.focus();
    if (demos.length === 0) list.replaceChildren(el("p", { class: "soft", text: t("demo.none") }));
  } catch {
    list.replaceChildren(el("p", { class: "soft", role: "alert", text: t("demo.failed") }));
  }
}

/** Ask for a customer by hand; `open` gets the conversation to open and what the customer said first. */
export function setUpOpening(open) {
  const dialog = byId("opening");
  const form = byId("opening-form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form));
    byId("opening-error").textContent = "";
    try {
      await open(
        {
          id: newId("conv"),
          channel: values.channel,
          customer: { id: values.customer.trim() || newId("cust"), name: values.name.trim() || null, tier: values.tier },
        },
        values.text.trim(),
      );
      form.reset();
      dialog.close();
    } catch (error) {
      byId("opening-error").textContent = error.status === 0 ? t("error.unreachable") : error.message;
    }
  });
  return () => dialog.showModal();
}

const PARTS = ["problem", "done", "promise", "outcome"];

/** Show a wrap-up; `reveal` brings the utterance with an id into view. */
export function showWrapUp(wrapUp, reveal) {
  const journey = [["wrapup.start", wrapUp.emotion_start], ["wrapup.worst", wrapUp.emotion_worst], ["wrapup.end", wrapUp.emotion_end]].filter(([, label]) => label);
  const due = wrapUp.follow_up;
  const frame = wrapUp.texts.find((text) => text.language === language());
  const hidesOutcome = ["complaint", "safety"].includes(wrapUp.disposition) && wrapUp.outcome;
  const quotes = (part) => wrapUp.quotes.filter((quote) => quote.part === part);
  const list = (part) => el("ul", { class: "wrapup-summary" }, quotes(part).map((quote) => el("li", {}, quoteButton(quote, reveal))));
  byId("wrapup-body").replaceChildren(
    ...PARTS.filter((part) => quotes(part).length > 0).map((part) => el("section", {}, el("h3", { text: t(`wrapup.${part}`) }), list(part))),
    wrapUp.quotes.length ? "" : el("section", {}, el("h3", { text: t("wrapup.summary") }), wrapUp.summary.length ? el("ul", { class: "wrapup-summary" }, wrapUp.summary.map((line) => el("li", { text: line }))) : el("p", { class: "soft", text: t("wrapup.nothing") })),
    journey.length ? el("section", {}, el("h3", { text: t("wrapup.journey") }), el("div", { class: "wrapup-journey" }, journey.flatMap(([name, label], index) => [index > 0 && el("span", { class: "faint", text: "→" }), el("span", { class: "faint", text: t(name) }), emotionChip({ label, intensity: 0 })])), quotes("worst").length > 0 && list("worst")) : "",
    el("section", {}, el("h3", { text: t("wrapup.disposition") }), el("div", { class: "meta-line" }, el("strong", { text: dispositionName(wrapUp.disposition) }), hidesOutcome && el("span", { class: "soft", text: t("wrapup.ended", { outcome: dispositionName(wrapUp.outcome) }) }), flagBadges(wrapUp.tags.filter((tag) => tOr(`flag.${tag}`, null))))),
    due ? el("section", { class: "follow-up" }, el("strong", { text: t("wrapup.follow_up", { at: dateTime(due.due_at) }) }), el("p", { text: frame?.action ?? due.action }), el("p", { text: t("wrapup.because", { reason: frame?.reason ?? due.reason }) })) : el("p", { class: "soft", text: t("wrapup.no_follow_up") }),
    wrapUp.message ? el("section", {}, el("h3", { text: t("wrapup.message") }), el("p", { class: "source-text wrapup-message", text: wrapUp.message })) : "",
  );
  byId("wrapup-copy").onclick = async () => {
    const lines = [...PARTS.flatMap((part) => quotes(part).map((quote) => `${t(`wrapup.${part}`)}: ${quote.text}${quote.due_at ? ` (${t("wrapup.due", { at: dateTime(quote.due_at) })})` : ""}`)), `${t("wrapup.disposition")}: ${dispositionName(wrapUp.disposition)}`, due && `${t("wrapup.follow_up", { at: dateTime(due.due_at) })} ${frame?.action ?? due.action}`].filter(Boolean);
    await navigator.clipboard?.writeText(lines.join("\n"));
    byId("wrapup-copy").textContent = t("wrapup.copied");
  };
  byId("wrapup-copy").textContent = t("wrapup.copy");
  byId("wrapup").showModal();
  byId("wrapup-body").scrollTop = 0;
}

const dispositionName = (code) => tOr(`disposition.${code}`, code);

function quoteButton(quote, reveal) {
  return el(
    "button",
    { class: "quote", type: "button", title: t("wrapup.go"), on: { click: () => { byId("wrapup").close(); reveal(quote.utterance_id); } } },
    el("q", { text: quote.text }),
    quote.due_at && el("span", { class: "badge", text: t("wrapup.due", { at: dateTime(quote.due_at) }) }),
  );
}

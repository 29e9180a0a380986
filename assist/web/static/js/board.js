import { Chime } from "./lib/chime.js";
import { setUpChrome } from "./lib/chrome.js";
import { byId, el } from "./lib/dom.js";
import { emotionChip, flagBadges, riskLevel, tierBadge, trendNote } from "./lib/feeling.js";
import { icon } from "./lib/icons.js";
import { t, tOr } from "./lib/i18n.js";
import { rove } from "./lib/roving.js";
import { duration } from "./lib/time.js";
import { BoardFeed } from "./models/board_feed.js";

const TICK_MS = 5_000;
const LONG_WAIT_MS = 60_000;
const LEVELS = { raised: ["raised", "high"], high: ["high"] };

/** Every open conversation by risk. Calm on purpose: lines move only when their place has changed. */
class Board {
  #feed = new BoardFeed();
  #chime = new Chime();
  #hasSound = false;
  #filter = { risk: "", channel: "", agent: "" };
  #alarmed = null;
  #nodes = new Map();
  #roveAgain = () => {};

  async start() {
    this.#roveAgain = rove(byId("board"), ".board-row", { letters: true });
    byId("sound").addEventListener("click", () => this.#toggleSound());
    byId("filters").addEventListener("input", (event) => { this.#filter[event.target.name] = event.target.value; this.#draw(); });
    document.addEventListener("assist:language", () => this.#redraw());
    const me = await setUpChrome();
    this.#redraw();
    if (me && !["supervisor", "admin"].includes(me.role)) { this.#message("eye", t("board.no_right")); return; }
    this.#feed.addEventListener("change", () => { this.#alarm(); this.#draw(); });
    this.#feed.addEventListener("online", () => { byId("offline").hidden = true; });
    this.#feed.addEventListener("offline", () => { byId("offline").hidden = false; });
    this.#feed.open();
    setInterval(() => { if (!document.hidden) this.#draw(); }, TICK_MS);
  }

  // Actions

  #toggleSound() {
    this.#hasSound = !this.#hasSound;
    if (this.#hasSound) { this.#chime.allow(); this.#chime.play(); }
    this.#drawSound();
  }

  /** Say it once when a conversation gets hot; those that were hot when the page opened are seen, not heard. */
  #alarm() {
    const hot = this.#feed.lines.filter((line) => riskLevel(line.escalation_risk) === "high");
    const fresh = this.#alarmed === null ? [] : hot.filter((line) => !this.#alarmed.has(line.id));
    this.#alarmed = new Set(hot.map((line) => line.id));
    if (fresh.length === 0) return;
    byId("alarm").textContent = fresh.map((line) => t("board.alarm", { name: nameOf(line), percent: percentOf(line) })).join(" ");
    if (this.#hasSound) this.#chime.play();
  }

  // Internal

  #redraw() {
    this.#nodes.clear();
    byId("board").replaceChildren();
    this.#drawSound();
    this.#draw();
  }

  #drawSound() {
    const button = byId("sound");
    button.setAttribute("aria-pressed", String(this.#hasSound));
    button.replaceChildren(icon(this.#hasSound ? "sound" : "silent"), t(this.#hasSound ? "board.sound_on" : "board.sound_off"));
  }

  #draw() {
    const all = this.#feed.lines;
    this.#drawFigures(all);
    this.#drawFilters(all);
    const lines = all.filter((line) => this.#fits(line));
    if (lines.length === 0) { this.#message("calm", t("board.calm"), t("board.calm_hint")); return; }
    const place = byId("board");
    if (place.querySelector(".empty")) place.replaceChildren();
    const wanted = new Set(lines.map((line) => line.id));
    for (const [id, drawn] of this.#nodes) if (!wanted.has(id)) { drawn.node.remove(); this.#nodes.delete(id); }
    const focused = document.activeElement?.dataset?.conversation;
    lines.forEach((line, index) => {
      const key = JSON.stringify([line, waited(line)]);
      let drawn = this.#nodes.get(line.id);
      if (drawn?.key !== key) {
        const node = row(line);
        drawn?.node.replaceWith(node);
        drawn = { key, node };
        this.#nodes.set(line.id, drawn);
      }
      if (place.children[index] !== drawn.node) place.insertBefore(drawn.node, place.children[index] ?? null);
    });
    this.#roveAgain();
    if (focused && document.activeElement?.dataset?.conversation !== focused) this.#nodes.get(focused)?.node.focus({ preventScroll: true });
  }

  #fits(line) {
    const { risk, channel, agent } = this.#filter;
    return (!risk || LEVELS[risk].includes(riskLevel(line.escalation_risk))) && (!channel || line.channel === channel) && (!agent || agentOf(line) === agent);
  }

  #drawFigures(all) {
    const high = all.filter((line) => riskLevel(line.escalation_risk) === "high").length;
    const waiting = all.filter((line) => line.waiting_since && Date.now() - Date.parse(line.waiting_since) > LONG_WAIT_MS).length;
    byId("figures").replaceChildren(figure(all.length, "board.open"), figure(high, "board.high", high ? "high" : null), figure(waiting, "board.waiting"));
  }

  #drawFilters(all) {
    const values = { risk: ["raised", "high"], channel: distinct(all.map((line) => line.channel)), agent: distinct(all.map(agentOf).filter(Boolean)) };
    const words = { risk: (value) => t(value === "high" ? "board.only_high" : "board.at_risk"), channel: (value) => tOr(`channel.${value}`, value), agent: (value) => value };
    const key = JSON.stringify([values, document.documentElement.lang]);
    if (byId("filters").dataset.drawn === key) return;
    byId("filters").dataset.drawn = key;
    byId("filters").replaceChildren(
      ...Object.keys(values).map((name) => {
        const select = el("select", { class: "input", name, aria: { label: t(`board.${name}`) } }, el("option", { value: "", text: `${t(`board.${name}`)}: ${t("board.all")}` }), values[name].map((value) => el("option", { value, text: words[name](value) })));
        select.value = this.#filter[name];
        return select;
      }),
    );
  }

  #message(name, title, hint) {
    this.#nodes.clear();
    byId("board").replaceChildren(el("div", { class: "empty" }, icon(name), el("strong", { text: title }), hint && el("p", { text: hint })));
  }
}

const nameOf = (line) => line.customer.name || line.customer.id;
const agentOf = (line) => line.agent?.name || line.agent?.id || "";
const percentOf = (line) => Math.round(line.escalation_risk * 100);
const distinct = (values) => Array.from(new Set(values)).sort();

function waited(line) {
  return line.waiting_since ? duration(Date.now() - Date.parse(line.waiting_since)) : "";
}

function figure(n, words, risk) {
  return el("span", { data: { risk } }, el("b", { text: String(n) }), t(words));
}

function row(line) {
  const level = riskLevel(line.escalation_risk);
  return el(
    "a",
    { class: "board-row", href: `/desk?conversation=${encodeURIComponent(line.id)}&watch=1`, tabindex: -1, data: { conversation: line.id, risk: level }, title: t("board.watch", { name: nameOf(line) }) },
    el("div", { class: "board-risk" }, el("span", { class: "visually-hidden", text: t("risk.label") }), `${percentOf(line)}%`, el("small", { text: t(`risk.${level}`) })),
    el(
      "div",
      {},
      el("div", { class: "board-who" }, icon(line.channel), el("strong", { text: nameOf(line) }), tierBadge(line.customer.tier), line.emotion && emotionChip({ label: line.emotion, intensity: line.intensity }), flagBadges(line.flags)),
      el("p", { class: "board-text", text: line.last_text ?? t("inbox.silent") }),
    ),
    el("div", { class: "board-side" }, line.trend ? trendNote(line.trend) : el("span"), line.waiting_since ? el("span", { class: "clock", data: { state: Date.now() - Date.parse(line.waiting_since) > LONG_WAIT_MS ? "overdue" : "running" } }, icon("clock"), t("board.waits", { time: waited(line) })) : el("span"), el("span", { class: "faint one-line", text: agentOf(line) || t("board.no_agent") })),
  );
}

new Board().start();

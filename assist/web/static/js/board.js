import { Chime } from "./lib/chime.js";
import { setUpChrome } from "./lib/chrome.js";
import { byId, el } from "./lib/dom.js";
import { emotionChip, flagBadges, riskLevel, segmentBadge, tierBadge, trendNote } from "./lib/feeling.js";
import { icon } from "./lib/icons.js";
import { t, tOr } from "./lib/i18n.js";
import { rove } from "./lib/roving.js";
import { duration } from "./lib/time.js";
import { BoardFeed } from "./models/board_feed.js";

const TICK_MS = 5_000;
const LEVELS = { raised: ["raised", "high"], high: ["high"] };

/** Every open conversation by priority and risk. Calm on purpose: lines move only when their place has changed. */
class Board {
  #feed = new BoardFeed();
  #chime = new Chime();
  #hasSound = false;
  #filter = { risk: "", channel: "", agent: "" };
  #said = null; // what was hot or overdue when it was last looked at
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

  /** Say it once when a conversation gets hot or overdue; what was so when the page opened is seen, not heard. */
  #alarm() {
    const lines = this.#feed.lines;
    const hot = lines.filter((line) => riskLevel(line.escalation_risk) === "high").map((line) => ({ key: line.id, words: t("board.alarm", { name: nameOf(line), percent: percentOf(line) }) }));
    const late = lines.flatMap((line) => overdue(line).map((clock) => ({ key: `${line.id} ${clock.name}`, words: t("board.alarm_clock", { name: nameOf(line), clock: t(`clock.${clock.name}`) }) })));
    const before = this.#said;
    this.#said = new Set([...hot, ...late].map((one) => one.key));
    if (before === null) return;
    const fresh = [say("alarm", hot, before), say("announcer", late, before)];
    if (!fresh.some(Boolean)) return;
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
      const key = JSON.stringify([line, waited(line), nextClock(line)?.words]);
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
    const late = all.filter((line) => overdue(line).length > 0).length;
    byId("figures").replaceChildren(figure(all.length, "board.open"), figure(high, "board.high", high ? "high" : null), figure(late, "board.overdue", late ? "high" : null));
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

/** Put what is new into a live region. Returns whether there was anything. */
function say(region, all, before) {
  const fresh = all.filter((one) => !before.has(one.key));
  if (fresh.length > 0) byId(region).textContent = fresh.map((one) => one.words).join(" ");
  return fresh.length > 0;
}

const overdue = (line) => (line.clocks ?? []).filter((clock) => clock.state === "overdue");

/** The clock that runs out first, or has run out longest, unless there is plenty of time. */
function nextClock(line) {
  const pressing = (line.clocks ?? []).filter((clock) => ["due_soon", "overdue"].includes(clock.state));
  const clock = pressing.sort((a, b) => a.due_at.localeCompare(b.due_at))[0];
  if (!clock) return null;
  const time = duration(Math.abs(Date.parse(clock.due_at) - Date.now()));
  return { state: clock.state, words: `${t(`clock.${clock.name}`)} ${t(clock.state === "overdue" ? "clock.over" : "clock.left", { time })}` };
}

function priority(routing) {
  if (!routing) return null;
  const words = t("routing.hint", { queue: t(`queue.${routing.queue}`), n: routing.priority });
  return el("span", { class: "badge badge-priority", data: { priority: routing.priority }, title: t(`routing.reason.${routing.reason}`), text: words });
}

function figure(n, words, risk) {
  return el("span", { data: { risk } }, el("b", { text: String(n) }), t(words));
}

function row(line) {
  const level = riskLevel(line.escalation_risk);
  const clock = nextClock(line);
  return el(
    "a",
    { class: "board-row", href: `/desk?conversation=${encodeURIComponent(line.id)}&watch=1`, tabindex: -1, data: { conversation: line.id, risk: level }, title: t("board.watch", { name: nameOf(line) }) },
    el("div", { class: "board-risk" }, el("span", { class: "visually-hidden", text: t("risk.label") }), `${percentOf(line)}%`, el("small", { text: t(`risk.${level}`) })),
    el(
      "div",
      {},
      el("div", { class: "board-who" }, icon(line.channel), el("strong", { text: nameOf(line) }), tierBadge(line.customer.tier), segmentBadge(line.segment), priority(line.routing), line.emotion && emotionChip({ label: line.emotion, intensity: line.intensity }), flagBadges(line.flags)),
      el("p", { class: "board-text", text: line.last_text ?? t("inbox.silent") }),
    ),
    el("div", { class: "board-side" }, line.trend ? trendNote(line.trend) : el("span"), clockOf(line, clock), el("span", { class: "faint one-line", text: agentOf(line) || t("board.no_agent") })),
  );
}

function clockOf(line, clock) {
  if (clock) return el("span", { class: "clock", data: { state: clock.state } }, icon("clock"), clock.words);
  return line.waiting_since ? el("span", { class: "clock", data: { state: "running" } }, icon("clock"), t("board.waits", { time: waited(line) })) : el("span");
}

new Board().start();

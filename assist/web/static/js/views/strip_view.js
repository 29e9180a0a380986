import { el, svg } from "../lib/dom.js";
import { emotionChip, mark, riskLevel, trendNote, valence } from "../lib/feeling.js";
import { icon } from "../lib/icons.js";
import { t, tOr } from "../lib/i18n.js";
import { duration } from "../lib/time.js";

const SHOWN = 24;
const HEIGHT = 44;
const MARK = 11;
const CALM_AT = 0.3; // the calm line lies high: most of what matters happens below it

/** The line over the conversation: the way of the feeling, where it is now, the risk, the clocks. Always on screen. */
export class StripView {
  #place;

  constructor(place) {
    this.#place = place;
  }

  show(conversation) {
    const felt = conversation.customerRows.slice(-SHOWN);
    this.#place.hidden = felt.length === 0;
    if (felt.length === 0) return;
    const reading = conversation.reading;
    const risk = reading.escalation_risk;
    const level = riskLevel(risk);
    const percent = Math.round(risk * 100);
    const bar = el("i");
    bar.style.setProperty("--level", risk);
    const clocks = reading.clocks.filter((clock) => !["met", "late"].includes(clock.state) && conversation.isOpen);
    const picture = el("div", { class: "strip-picture" });
    this.#place.replaceChildren(
      picture,
      el("div", { class: "strip-now" }, emotionChip(felt.at(-1).emotion), trendNote(reading.trend)),
      el(
        "div",
        { class: "risk", data: { risk: level }, role: "meter", aria: { label: t("risk.label"), valuenow: percent, valuemin: 0, valuemax: 100, valuetext: `${t(`risk.${level}`)}, ${percent}%` } },
        el("div", { class: "risk-label" }, el("span", { text: t("risk.label") }), el("b", { text: `${t(`risk.${level}`)} · ${percent}%` })),
        el("div", { class: "risk-bar" }, bar),
      ),
      el("div", { class: "strip-clocks" }, clocks.map(clockNote)),
    );
    picture.append(line(felt, Math.max(60, picture.clientWidth)));
  }
}

function clockNote(clock) {
  const left_ms = Date.parse(clock.due_at) - Date.now();
  const state = left_ms <= 0 ? "overdue" : clock.state;
  const words = t(state === "overdue" ? "clock.over" : "clock.left", { time: duration(Math.abs(left_ms)) });
  return el("span", { class: "clock", data: { state } }, icon("clock"), `${tOr(`clock.${clock.name}`, clock.name.replaceAll("_", " "))} ${words}`);
}

function line(felt, width) {
  const words = felt.map((row) => t(`emotion.${row.emotion.label}`)).join(" → ");
  const picture = svg("svg", { class: "strip-line", viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: "xMinYMid meet", role: "img", "aria-label": t("strip.picture", { words }) });
  const step = Math.min(44, (width - 2 * MARK) / Math.max(1, felt.length - 1));
  const height = HEIGHT - MARK - 2;
  const top = MARK / 2 + 1;
  const depth = (value) => (value > 0 ? CALM_AT * (1 - value) : CALM_AT - value * (1 - CALM_AT));
  const points = felt.map((row, index) => ({ x: MARK + index * step, y: top + depth(valence(row.emotion)) * height, label: row.emotion.label, text: row.text }));
  picture.append(
    svg("line", { class: "axis", x1: 0, x2: width, y1: top + CALM_AT * height, y2: top + CALM_AT * height }),
    svg("polyline", { class: "path", points: points.map(({ x, y }) => `${x},${y}`).join(" ") }),
  );
  for (const { x, y, label, text } of points) {
    const shape = mark(label);
    for (const [name, value] of Object.entries({ x: x - MARK / 2, y: y - MARK / 2, width: MARK, height: MARK })) shape.setAttribute(name, value);
    const tip = svg("title");
    tip.textContent = `${t(`emotion.${label}`)}: ${text}`;
    shape.append(tip);
    picture.append(shape);
  }
  return picture;
}

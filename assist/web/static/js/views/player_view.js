import { el } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { inLanguage, t } from "../lib/i18n.js";

const SPEEDS = [1, 2, 4];

/** The controls of the demo customer. */
export class PlayerView {
  #place;
  #player = null;
  #draw = () => this.show(this.#player);

  constructor(place) {
    this.#place = place;
  }

  show(player) {
    if (player !== this.#player) {
      this.#player?.removeEventListener("change", this.#draw);
      this.#player = player;
      player?.addEventListener("change", this.#draw);
    }
    this.#place.hidden = !player || player.isOver;
    if (this.#place.hidden) return;
    const focused = document.activeElement?.dataset?.control;
    const button = (control, name, label, act, more = {}) => el("button", { class: "button button-small button-icon", type: "button", data: { control }, aria: { label }, title: label, on: { click: act }, ...more }, icon(name));
    this.#place.replaceChildren(
      el("span", { class: "player-title one-line", text: inLanguage(player.demo.title) }),
      el("span", { text: t("demo.progress", { at: player.position, of: player.length }) }),
      player.isPlaying ? button("play", "pause", t("demo.pause"), () => player.pause()) : button("play", "play", t("demo.play"), () => player.play()),
      button("step", "step", t("demo.step"), () => player.step()),
      el("span", { class: "segments", role: "group", aria: { label: t("demo.speed") } }, SPEEDS.map((speed) => el("button", { class: "button button-small", type: "button", data: { control: `speed-${speed}` }, aria: { pressed: player.speed === speed }, text: `${speed}×`, on: { click: () => player.setSpeed(speed) } }))),
      el("label", { class: "check" }, this.#replies(player), t("demo.replies")),
      button("stop", "close", t("demo.stop"), () => player.stop(), { class: "button button-small button-icon button-plain" }),
    );
    if (focused) this.#place.querySelector(`[data-control="${focused}"]`)?.focus();
  }

  #replies(player) {
    const box = el("input", { type: "checkbox", data: { control: "replies" }, on: { change: () => player.setRepliesItself(box.checked) } });
    box.checked = player.repliesItself;
    return box;
  }
}

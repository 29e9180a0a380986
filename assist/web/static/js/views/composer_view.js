import { api } from "../lib/api.js";
import { debounce, el } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { t } from "../lib/i18n.js";
import { firstSentenceEnd, pieces, reword } from "../lib/spans.js";

const CHECK_AFTER_MS = 350;

/** Where the agent writes. Dispatches `send` (detail: text) and `clear` when the draft is emptied by hand. */
export class ComposerView extends EventTarget {
  #form;
  #text;
  #mirror;
  #issues;
  #state;
  #send;
  #found = [];
  #checked = null;
  #checking = "idle"; // idle, running or failed
  #isOnline = true;
  #conversation = null;
  #checkLater = debounce(() => this.#check(), CHECK_AFTER_MS);

  constructor({ form, text, mirror, issues, state, send }) {
    super();
    this.#form = form;
    this.#text = text;
    this.#mirror = mirror;
    this.#issues = issues;
    this.#state = state;
    this.#send = send;
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    text.addEventListener("keydown", this.#keyPressed);
    text.addEventListener("input", () => this.#changed());
    text.addEventListener("scroll", () => { mirror.scrollTop = text.scrollTop; }, { passive: true });
    this.#changed();
  }

  // Lifecycle

  /** Write in another conversation, with the draft that was left there. */
  attach(conversation, draft = "") {
    this.#conversation = conversation;
    this.#text.value = draft;
    this.#changed();
  }

  get value() {
    return this.#text.value;
  }

  get isHidden() {
    return this.#form.hidden;
  }

  set isHidden(value) {
    this.#form.hidden = value;
  }

  set isOnline(value) {
    this.#isOnline = value;
    this.#text.placeholder = t(value ? "composer.placeholder" : "composer.offline");
    this.#enable();
  }

  // Actions

  focus() {
    this.#text.focus();
  }

  /** Put a suggestion's text down: the whole draft if there is none, else a new paragraph. `edit` selects its first sentence. */
  insert(text, { edit = false } = {}) {
    const before = this.#text.value.trimEnd();
    const start = before ? before.length + 2 : 0;
    this.#text.value = before ? `${before}\n\n${text}` : text;
    this.focus();
    if (edit) this.#text.setSelectionRange(start, start + firstSentenceEnd(text));
    else this.#text.setSelectionRange(this.#text.value.length, this.#text.value.length);
    this.#changed();
    this.#text.scrollTop = this.#text.scrollHeight;
  }

  refresh() {
    this.#drawIssues();
    this.isOnline = this.#isOnline;
  }

  // Callbacks

  #keyPressed = (event) => {
    if (event.key === "Enter" && event.altKey && !event.isComposing) {
      const issue = this.#found.find((found) => found.better);
      if (issue) { event.preventDefault(); this.#useBetter(issue); }
      return;
    }
    // An input method confirms a candidate with Enter: that is not yet a message. 229 is what Safari says after it.
    if (event.key !== "Enter" || event.shiftKey || event.altKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#submit();
  };

  // Internal

  #submit() {
    const text = this.#text.value.trim();
    if (!text || !this.#isOnline) return;
    this.dispatchEvent(new CustomEvent("send", { detail: text }));
    this.#text.value = "";
    this.#changed();
  }

  #changed() {
    if (this.#text.value.trim() === "") {
      this.#checkLater.cancel();
      this.#checked = null;
      this.#checking = "idle";
      this.#found = [];
      this.dispatchEvent(new Event("clear"));
    } else {
      // Until the next check, only the issues whose words are still there keep their underline.
      this.#found = this.#found.filter((issue) => Array.from(this.#text.value).slice(issue.start, issue.end).join("") === issue.text);
      this.#checkLater();
    }
    this.#drawIssues();
    this.#enable();
  }

  async #check() {
    const text = this.#text.value;
    const conversation = this.#conversation;
    this.#checking = "running";
    this.#drawState();
    const answer = await api.checkDraft({ conversation_id: conversation, text }).catch(() => null);
    if (text !== this.#text.value || conversation !== this.#conversation) return; // the agent has typed on
    this.#checking = answer ? "idle" : "failed";
    this.#checked = answer ? text : null;
    this.#found = answer?.issues ?? [];
    this.#drawIssues();
  }

  #drawIssues() {
    const text = this.#text.value;
    this.#mirror.replaceChildren(
      ...pieces(text, this.#found).map(({ text: part, span }) => (span ? el("mark", { data: { severity: span.severity }, text: part }) : part)),
      "\u200b",
    );
    this.#drawState();
    this.#issues.hidden = this.#found.length === 0;
    this.#issues.replaceChildren(...this.#found.map((issue) => this.#issue(issue)));
  }

  #drawState() {
    const text = this.#text.value;
    const isFine = this.#checked === text && text !== "" && this.#found.length === 0;
    const state = { running: [t("draft.checking")], failed: [t("draft.failed")], idle: isFine ? [icon("check"), t("draft.fine")] : [] }[this.#checking];
    this.#state.dataset.state = this.#checking;
    this.#state.replaceChildren(...state);
  }

  #issue(issue) {
    return el(
      "div",
      { class: "issue", data: { severity: issue.severity } },
      icon(issue.severity === "note" ? "question" : "alert"),
      el("div", {}, el("span", { class: "visually-hidden", text: t(`draft.${issue.severity}`) }), el("q", { text: issue.text.length > 40 ? `${issue.text.slice(0, 38)}…` : issue.text }), " ", issue.message, issue.better && el("p", { class: "issue-better", text: issue.better })),
      issue.better && el("button", { class: "button button-small", type: "button", title: t("draft.use_key"), aria: { keyshortcuts: "Alt+Enter" }, text: t("draft.use"), on: { click: () => this.#useBetter(issue) } }),
    );
  }

  #useBetter(issue) {
    this.#text.value = reword(this.#text.value, issue);
    this.#found = [];
    this.#changed();
    this.focus();
  }

  #enable() {
    this.#send.disabled = !this.#isOnline || this.#text.value.trim() === "";
  }
}

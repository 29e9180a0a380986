import { api } from "./lib/api.js";
import { setUpChrome } from "./lib/chrome.js";
import { byId, el, isEditable } from "./lib/dom.js";
import { newId } from "./lib/ids.js";
import { icon } from "./lib/icons.js";
import { language, t, tOr } from "./lib/i18n.js";
import { segmentBadge, tierBadge } from "./lib/feeling.js";
import { Connection } from "./models/connection.js";
import { Conversation } from "./models/conversation.js";
import { DemoPlayer } from "./models/demo_player.js";
import { Draft } from "./models/draft.js";
import { Inbox } from "./models/inbox.js";
import { Suggestions } from "./models/suggestions.js";
import { ComposerView } from "./views/composer_view.js";
import { CustomerView } from "./views/customer_view.js";
import { setUpDialogs, setUpOpening, showDemos, showShortcuts, showSource, showWrapUp } from "./views/dialogs.js";
import { KnownView } from "./views/known_view.js";
import { InboxView } from "./views/inbox_view.js";
import { PlayerView } from "./views/player_view.js";
import { SearchView } from "./views/search_view.js";
import { StripView } from "./views/strip_view.js";
import { sourceBody, SuggestionsView } from "./views/suggestions_view.js";
import { TranscriptView } from "./views/transcript_view.js";

const LIST_EVERY_MS = 3_000;
const LIST_LIMIT = 100;
const CLOCKS_EVERY_MS = 1_000;
const LEARN_AFTER_MS = 150; // one question after a burst of events

/** Joins what the service says, what the agent does and what the page shows. The parts do not know each other. */
class Desk {
  #inbox = new Inbox();
  #talk = null; // {conversation, suggestions, draft, connection}
  #drafts = new Map(); // what was being written in the other conversations
  #players = new Map();
  #isWatching = new URLSearchParams(location.search).has("watch");
  #agent = null;
  #selection = 0;
  #learnTimer = 0;

  // Lifecycle

  async start() {
    this.#buildViews();
    this.#listen();
    const me = await setUpChrome();
    this.#agent = me ? { id: me.name, name: me.name } : null;
    this.#isWatching ||= me?.can_write === false;
    byId("desk").classList.toggle("watching", this.#isWatching);
    byId("inbox-actions").hidden = this.#isWatching;
    this.#nothingChosen();
    await this.#refreshInbox();
    setInterval(() => { if (!document.hidden) this.#refreshInbox(); }, LIST_EVERY_MS);
    setInterval(() => { if (!document.hidden && this.#talk) this.#showStrip(); }, CLOCKS_EVERY_MS);
    const wanted = new URLSearchParams(location.search).get("conversation");
    if (wanted) await this.choose(wanted);
    else this.#showPane("inbox");
  }

  #buildViews() {
    this.inbox = new InboxView(byId("inbox"), byId("inbox-count"));
    this.strip = new StripView(byId("strip"));
    this.transcript = new TranscriptView(byId("transcript"), byId("new-messages"));
    this.composer = new ComposerView({ form: byId("composer"), text: byId("message"), mirror: byId("mirror"), issues: byId("issues"), state: byId("draft-state"), send: byId("send") });
    this.cards = new SuggestionsView(byId("suggestions"));
    this.search = new SearchView({ field: byId("search"), kinds: byId("search-kinds"), place: byId("results"), language: () => this.#spokenLanguage });
    this.customer = new CustomerView(byId("history"));
    this.known = new KnownView(byId("known"));
    this.player = new PlayerView(byId("player"));
  }

  #listen() {
    setUpDialogs();
    const showOpening = setUpOpening((conversation, text) => this.#openByHand(conversation, text));
    byId("new-conversation").addEventListener("click", showOpening);
    byId("choose-demo").addEventListener("click", () => this.#chooseDemo());
    byId("show-shortcuts").addEventListener("click", showShortcuts);
    byId("close-conversation").addEventListener("click", () => this.#closeOrShowWrapUp());
    byId("pane-tabs").addEventListener("click", (event) => { const tab = event.target.closest("button"); if (tab) this.#showPane(tab.dataset.pane); });
    this.inbox.addEventListener("choose", ({ detail }) => this.choose(detail));
    this.transcript.addEventListener("retry", ({ detail }) => this.#retry(detail));
    this.transcript.addEventListener("discard", ({ detail }) => this.#discard(detail));
    this.composer.addEventListener("send", ({ detail }) => this.#send(detail));
    this.composer.addEventListener("clear", () => this.#talk?.draft.clear());
    this.cards.addEventListener("insert", ({ detail }) => this.#insert(detail));
    this.cards.addEventListener("edit", ({ detail }) => this.#insert(detail, { edit: true }));
    this.cards.addEventListener("dismiss", ({ detail }) => this.#settle(detail.suggestion.id, { outcome: "dismissed", reason: detail.reason }));
    this.cards.addEventListener("done", ({ detail }) => this.#settle(detail.id, { outcome: "accepted" }));
    this.cards.addEventListener("source", ({ detail }) => showSource(detail.title, sourceBody(detail.source, detail.language)));
    this.search.addEventListener("open", () => this.#showAssist());
    this.search.addEventListener("leave", () => { this.#showAssist(); if (!this.composer.isHidden) this.composer.focus(); });
    this.search.addEventListener("insert", ({ detail }) => { this.composer.insert(detail); this.#showPane("talk"); });
    this.search.addEventListener("source", ({ detail }) => showSource(detail.title, sourceBody(detail.source, detail.language)));
    document.addEventListener("keydown", (event) => this.#keyPressed(event));
    document.addEventListener("assist:language", () => this.#redraw());
  }

  // Actions

  /** Show a conversation, from its first event on, and follow it live. */
  async choose(id) {
    if (this.#talk?.conversation.id === id) { this.#showPane("talk"); return; }
    this.#selection += 1;
    const turn = this.#selection;
    this.#leave();
    this.transcript.loading();
    this.cards.loading();
    this.#showPane("talk");
    let state;
    try {
      state = await api.conversation(id, language());
    } catch (error) {
      if (turn !== this.#selection) return;
      this.#nothingChosen();
      this.transcript.empty(t(error.status === 404 ? "talk.gone" : "error.load"), t("error.try_again"), this.#retryButton(() => this.choose(id)));
      return;
    }
    if (turn !== this.#selection) return;
    this.#follow(state);
    if (!this.composer.isHidden && innerWidth > 860) this.composer.focus();
  }

  #follow(state) {
    const kept = this.#drafts.get(state.id);
    const talk = { conversation: new Conversation(state), suggestions: new Suggestions(), draft: kept?.draft ?? new Draft(), connection: new Connection(state.id), readUpTo: state.seq };
    this.#talk = talk;
    if (state.wrap_up) talk.conversation.close(state.wrap_up);
    this.composer.attach(state.id, kept?.text ?? "");
    this.#drafts.delete(state.id);
    talk.connection.addEventListener("event", ({ detail }) => { if (this.#talk === talk) this.#take(detail); });
    talk.connection.addEventListener("clocks", ({ detail }) => { if (this.#talk === talk) this.#takeClocks(detail); });
    talk.connection.addEventListener("online", () => { if (this.#talk === talk) this.#setOnline(true); });
    talk.connection.addEventListener("offline", () => { if (this.#talk === talk) this.#setOnline(false); });
    this.#showTalk();
    talk.connection.open();
    const address = new URL(location.href);
    address.searchParams.set("conversation", state.id);
    history.replaceState(null, "", address);
  }

  #leave() {
    if (!this.#talk) return;
    const { conversation, draft, connection } = this.#talk;
    if (this.composer.value.trim()) this.#drafts.set(conversation.id, { text: this.composer.value, draft });
    connection.close();
    this.#talk = null;
  }

  #insert(suggestion, options = {}) {
    if (!this.#talk || this.composer.isHidden) return;
    this.#showPane("talk");
    // An answer's opening is the text of a calming card; once that card is used, it has been said.
    const opening = suggestion.opening && this.#talk.suggestions.cards.find((card) => card.kind === "calming" && card.text === suggestion.opening && !this.#talk.draft.holds(card.id));
    for (const part of opening ? [opening, suggestion] : [suggestion]) {
      this.#talk.draft.insert(part);
      this.composer.insert(part.text, options);
    }
    byId("announcer").textContent = t("cards.inserted", { title: suggestion.title });
  }

  #send(text) {
    const talk = this.#talk;
    const row = talk.conversation.addPending({ id: newId("utt"), speaker: "agent", text, language: null });
    row.outcomes = talk.draft.outcomes(text);
    this.transcript.show(talk.conversation);
    this.#deliver(talk, row);
  }

  #retry(id) {
    this.#talk.conversation.markPending(id);
    this.transcript.show(this.#talk.conversation);
    this.#deliver(this.#talk, this.#talk.conversation.row(id));
  }

  #discard(id) {
    const row = this.#talk.conversation.row(id);
    this.#talk.conversation.discard(id);
    this.transcript.show(this.#talk.conversation);
    this.composer.insert(row.text);
  }

  async #deliver(talk, row) {
    const { id, speaker, text, outcomes } = row;
    try {
      const result = await api.say(talk.conversation.id, { id, speaker, text });
      talk.conversation.addResult(withText(result, text));
    } catch (error) {
      talk.conversation.markFailed(id, t(error.status === 0 ? "row.unreachable" : error.status === 429 ? "row.busy" : error.status === 409 ? "row.closed" : "row.failed"));
      if (this.#talk === talk) this.transcript.show(talk.conversation);
      return;
    }
    if (this.#talk === talk) this.transcript.show(talk.conversation);
    for (const { id: suggestion, ...outcome } of outcomes) this.#settle(suggestion, outcome, talk);
  }

  /** The card leaves at once; should the log not take the outcome, it is told and comes again with the next try. */
  async #settle(id, outcome, talk = this.#talk) {
    if (this.#isWatching) return;
    talk.suggestions.settle(id);
    if (this.#talk === talk) this.#showSuggestions();
    for (const pause_ms of [0, 1000, 4000]) {
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
      try {
        await api.setOutcome(id, outcome);
        return;
      } catch (error) {
        if (error.status >= 400 && error.status < 500 && error.status !== 429) break;
      }
    }
    byId("announcer").textContent = t("error.outcome");
  }

  async #openByHand(conversation, text) {
    const state = await api.open({ ...conversation, agent: this.#agent });
    if (text) await api.say(state.id, { id: newId("utt"), speaker: "customer", text });
    await this.choose(state.id);
    this.#refreshInbox();
  }

  #chooseDemo() {
    showDemos(
      async () => (await api.demos()).conversations,
      async (id) => {
        try {
          const player = new DemoPlayer(await api.demo(id));
          player.addEventListener("scripted", ({ detail }) => { if (this.#talk?.conversation.id === player.conversation) this.#offerScripted(detail); });
          player.addEventListener("failed", ({ detail }) => { byId("announcer").textContent = detail.message; });
          const state = await player.start(this.#agent);
          this.#players.set(state.id, player);
          await this.choose(state.id);
          this.#refreshInbox();
        } catch {
          this.transcript.empty(t("demo.failed"), t("error.try_again"), this.#retryButton(() => this.#chooseDemo()));
        }
      },
    );
  }

  #offerScripted(text) {
    const place = byId("scripted");
    place.hidden = false;
    place.replaceChildren(
      el("p", { class: "one-line", title: text }, `${t("demo.scripted")} ${text}`),
      el("button", { class: "button button-small button-tint", type: "button", text: t("cards.insert"), on: { click: () => { place.hidden = true; this.composer.insert(text); } } }),
      el("button", { class: "button button-small button-plain button-icon", type: "button", aria: { label: t("close") }, on: { click: () => { place.hidden = true; } } }, icon("close")),
    );
  }

  async #closeOrShowWrapUp() {
    const { conversation } = this.#talk;
    const show = (wrapUp) => showWrapUp(wrapUp, (utterance) => { this.#showPane("talk"); this.transcript.reveal(utterance); });
    if (!conversation.isOpen) { show(conversation.wrapUp); return; }
    const button = byId("close-conversation");
    button.disabled = true;
    try {
      const wrapUp = await api.close(conversation.id, { agent_language: language() });
      this.#players.get(conversation.id)?.stop();
      conversation.close(wrapUp);
      show(wrapUp);
      this.#showTalk();
      this.#refreshInbox();
    } catch {
      byId("alarm").textContent = t("error.close");
    }
    button.disabled = false;
  }

  // Callbacks

  #take(event) {
    const { conversation, suggestions } = this.#talk;
    this.#talk.readUpTo = event.seq;
    this.#inbox.markRead(conversation.id, event.seq);
    if (event.type === "utterance.added") {
      const { isNew } = conversation.addResult(event.data);
      suggestions.addResult(event.data);
      this.transcript.show(conversation);
      this.#showStrip();
      this.#learnSoon();
      this.#showSuggestions();
      if (isNew && event.data.utterance.speaker === "customer") this.#announce(event.data);
    } else if (event.type === "suggestion.outcome") {
      if (event.data.outcome !== "shown") suggestions.settle(event.data.suggestion_id);
      this.#showSuggestions();
    } else if (event.type === "conversation.closed") {
      conversation.close(event.data.wrap_up ?? event.data);
      this.#showTalk();
    }
  }

  #takeClocks({ clocks, routing }) {
    const over = this.#talk.conversation.tick(clocks, routing);
    if (over.length > 0) byId("alarm").textContent = over.map((clock) => t("clock.alarm", { name: t(`clock.${clock.name}`) })).join(" ");
    this.#showStrip();
    this.known.show(this.#talk.conversation);
  }

  #announce(result) {
    const alerts = result.suggestions.filter((card) => card.kind === "alert");
    if (alerts.length > 0) byId("alarm").textContent = alerts.map((card) => card.text).join(" ");
    const feeling = result.emotion ? t(`emotion.${result.emotion.label}`) : "";
    byId("announcer").textContent = t("talk.heard", { feeling, text: result.utterance.text, n: result.suggestions.length });
  }

  #keyPressed(event) {
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    const isFree = !isEditable(event.target) && !event.ctrlKey && !event.metaKey;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") this.#openSearch();
    else if (digit && event.altKey && !event.ctrlKey) this.#act(digit, { edit: event.shiftKey });
    else if (digit && isFree && !event.shiftKey) this.#act(digit, {});
    else if (event.altKey && event.code === "KeyX") this.#dismissFirst();
    else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) this.#chooseNext(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "/" && isFree) this.#openSearch();
    else if (event.key === "?" && isFree) showShortcuts();
    else if (event.key === "Escape" && isFree && !this.composer.isHidden) { this.#showPane("talk"); this.composer.focus(); }
    else return;
    event.preventDefault();
  }

  #act(digit, options) {
    const suggestion = this.cards.at(Number(digit));
    if (suggestion) this.#insert(suggestion, options);
  }

  #dismissFirst() {
    const suggestion = this.cards.at(1);
    if (suggestion) this.#settle(suggestion.id, { outcome: "dismissed", reason: null });
  }

  #openSearch() {
    this.#showPane("assist");
    this.search.focus();
  }

  #chooseNext(step) {
    const ids = this.#inbox.entries.map((entry) => entry.id);
    const next = ids[ids.indexOf(this.#talk?.conversation.id) + step];
    if (next) this.choose(next);
  }

  // Internal

  async #refreshInbox() {
    try {
      const { conversations } = await api.conversations({ limit: LIST_LIMIT });
      this.#inbox.update(conversations);
      if (this.#talk) this.#inbox.markRead(this.#talk.conversation.id, this.#talk.readUpTo);
      this.inbox.show(this.#inbox, this.#talk?.conversation.id);
    } catch {
      if (this.#inbox.entries.length === 0) this.inbox.failed();
    }
  }

  /** What is known is worked out by the service when it is asked; ask once after what has just happened. */
  #learnSoon() {
    clearTimeout(this.#learnTimer);
    const talk = this.#talk;
    this.#learnTimer = setTimeout(async () => {
      const state = await api.conversation(talk.conversation.id, language()).catch(() => null);
      if (!state || this.#talk !== talk) return;
      talk.conversation.learn(state);
      this.known.show(talk.conversation);
      this.#showStrip();
    }, LEARN_AFTER_MS);
  }

  #showStrip() {
    const { conversation } = this.#talk;
    this.strip.show(conversation);
    const over = conversation.isOpen ? (conversation.reading?.clocks ?? []).filter((clock) => clock.state === "overdue") : [];
    byId("overdue").hidden = over.length === 0;
    byId("overdue-text").textContent = over.map((clock) => t("clock.alarm", { name: t(`clock.${clock.name}`) })).join(" ");
  }

  #setOnline(isOnline) {
    byId("offline").hidden = isOnline;
    this.composer.isOnline = isOnline;
  }

  #nothingChosen() {
    for (const id of ["strip", "overdue", "player", "composer", "close-conversation", "history", "known"]) byId(id).hidden = true;
    byId("watching").hidden = true;
    byId("talk-who").replaceChildren(el("h1", { id: "talk-name", class: "one-line", text: t("desk.title") }));
    if (this.#isWatching) this.transcript.empty(t("talk.none"));
    else this.transcript.empty(t("talk.none"), t("talk.none_hint"), el("button", { class: "button button-primary", type: "button", on: { click: () => this.#chooseDemo() } }, icon("play"), t("demo.choose")));
    this.cards.empty("spark", t("assist.none"), t("assist.none_hint"));
  }

  #showTalk() {
    const { conversation } = this.#talk;
    const { customer, channel } = conversation;
    byId("talk-who").replaceChildren(icon(channel), el("span", { class: "visually-hidden", text: tOr(`channel.${channel}`, channel) }), el("h1", { id: "talk-name", class: "one-line", text: customer.name || customer.id }), tierBadge(customer.tier) ?? "", segmentBadge(conversation.segment) ?? "", conversation.isOpen ? "" : el("span", { class: "badge", text: t("inbox.closed") }));
    const closing = byId("close-conversation");
    closing.hidden = this.#isWatching || (!conversation.isOpen && !conversation.wrapUp);
    closing.querySelector("span").textContent = t(conversation.isOpen ? "talk.close" : "talk.wrapup");
    byId("watching").hidden = !this.#isWatching;
    this.composer.isHidden = this.#isWatching || !conversation.isOpen;
    byId("scripted").hidden = true;
    this.transcript.show(conversation);
    this.#showStrip();
    this.customer.show(customer);
    this.known.show(conversation);
    this.player.show(this.#players.get(conversation.id) ?? null);
    this.inbox.show(this.#inbox, conversation.id);
    this.#showSuggestions();
  }

  #showSuggestions() {
    const { suggestions, conversation } = this.#talk;
    const { alerts, cards } = conversation.isOpen ? suggestions : { alerts: [], cards: [] };
    const count = byId("assist-count");
    count.textContent = alerts.length + cards.length;
    count.hidden = alerts.length + cards.length === 0;
    if (alerts.length + cards.length > 0) this.cards.show(alerts, cards);
    else if (!conversation.isOpen) this.cards.empty("check", t("assist.closed"), t("assist.closed_hint"));
    else if (conversation.rows.length === 0) this.cards.empty("spark", t("assist.waiting"), t("assist.waiting_hint"));
    else this.cards.empty("calm", t("assist.fine"), t("assist.fine_hint"));
  }

  #showAssist() {
    byId("suggestions").hidden = this.search.isOpen;
    byId("history").hidden = this.search.isOpen || !this.#talk;
    if (this.search.isOpen) byId("known").hidden = true;
    else if (this.#talk) this.known.show(this.#talk.conversation);
    byId("assist-title").textContent = t(this.search.isOpen ? "search.results" : "assist.title");
  }

  #showPane(name) {
    byId("desk").dataset.pane = name;
    for (const tab of byId("pane-tabs").children) tab.setAttribute("aria-pressed", String(tab.dataset.pane === name));
  }

  #redraw() {
    this.search.refresh();
    this.composer.refresh();
    this.cards.refresh();
    if (!this.#talk) { this.#nothingChosen(); this.inbox.show(this.#inbox, null); return; }
    this.#showTalk();
    this.transcript.show(this.#talk.conversation, { redraw: true });
    this.#learnSoon();
    this.#showAssist();
  }

  #retryButton(act) {
    return el("button", { class: "button", type: "button", on: { click: act } }, icon("retry"), t("row.retry"));
  }

  get #spokenLanguage() {
    const spoken = this.#talk?.conversation.customerRows.at(-1)?.language;
    return ["zh-Hans", "zh-Hant", "en"].includes(spoken) ? spoken : null;
  }
}

function withText(result, text) {
  return { ...result, utterance: { ...result.utterance, text: result.utterance.text ?? text } };
}

new Desk().start();

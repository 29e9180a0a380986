import { el } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/** A row of filters kept in the address, so that a view can be shared. Dispatches `change`. */
export class FilterForm extends EventTarget {
  #place;
  #filters;
  #values;

  constructor(place, filters) {
    super();
    this.#place = place;
    this.#filters = filters;
    const address = new URLSearchParams(location.search);
    this.#values = Object.fromEntries(filters.map(({ name }) => [name, address.get(name) ?? ""]));
    place.addEventListener("input", (event) => this.#set(event.target.name, event.target.value));
    place.addEventListener("submit", (event) => event.preventDefault());
  }

  get values() {
    return { ...this.#values };
  }

  draw() {
    const isFiltered = Object.values(this.#values).some(Boolean);
    this.#place.replaceChildren(
      ...this.#filters.map((filter) => el("label", { class: "field" }, el("span", { text: t(filter.label) }), this.#field(filter))),
      el("button", { class: "button button-plain", type: "button", disabled: !isFiltered, text: t("review.clear"), on: { click: () => this.#clear() } }),
    );
  }

  #field({ name, type, prefix, values }) {
    const value = this.#values[name];
    if (type) return el("input", { class: "input", type, name, value, maxlength: 200, autocomplete: "off" });
    const select = el("select", { class: "input", name }, el("option", { value: "", text: t("review.any") }), values.map((option) => el("option", { value: option, text: t(`${prefix}.${option}`) })));
    select.value = value;
    return select;
  }

  #set(name, value) {
    this.#values[name] = value.trim();
    this.#place.querySelector("button").disabled = !Object.values(this.#values).some(Boolean);
    this.#remember();
  }

  #clear() {
    for (const name of Object.keys(this.#values)) this.#values[name] = "";
    this.draw();
    this.#remember();
  }

  #remember() {
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(this.#values)) {
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    history.replaceState(null, "", address);
    this.dispatchEvent(new Event("change"));
  }
}

import { el } from "../lib/dom.js";
import { tierBadge } from "../lib/feeling.js";
import { icon } from "../lib/icons.js";
import { t, tOr } from "../lib/i18n.js";
import { dateTime, money } from "../lib/time.js";

const OPEN = "assist.customer_open";

/** Who the customer is: tier, orders, cart, earlier contacts, known facts. Folded to one line unless wanted. */
export class CustomerView {
  #place;

  constructor(place) {
    this.#place = place;
    place.open = localStorage.getItem(OPEN) === "yes";
    place.addEventListener("toggle", () => localStorage.setItem(OPEN, place.open ? "yes" : "no"));
  }

  show(customer) {
    this.#place.hidden = !customer;
    if (!customer) return;
    const orders = customer.orders ?? [];
    const contacts = customer.contacts ?? [];
    const waiting = contacts.filter((contact) => contact.open).length;
    const counts = [
      orders.length > 0 && t("customer.n_orders", { n: orders.length }),
      (customer.cart ?? []).length > 0 && t("customer.n_cart", { n: customer.cart.length }),
      waiting > 0 && t("customer.n_open", { n: waiting }),
    ].filter(Boolean);
    this.#place.replaceChildren(
      el("summary", {}, icon("person"), el("strong", { class: "one-line", text: t("customer.title") }), tierBadge(customer.tier), el("span", { class: "faint one-line", text: counts.join(" · ") }), el("span", { class: "chevron" }, icon("chevron"))),
      el(
        "div",
        { class: "history-body", tabindex: 0, role: "region", aria: { label: t("customer.title") } },
        group("customer.contacts", contacts, (contact) => el("li", {}, el("span", { text: contact.summary }), el("span", {}, contact.open ? el("span", { class: "badge badge-flag", data: { flag: "urgent" }, text: t("customer.open") }) : ""), el("small", { text: [contact.at && dateTime(contact.at), tOr(`channel.${contact.channel}`, contact.channel)].filter(Boolean).join(" · ") }))),
        group("customer.orders", orders, (order) => el("li", {}, el("span", { text: order.title }), el("span", { text: money(order.price) }), el("small", { text: [tOr(`order.${order.status}`, order.status), order.channel && tOr(`channel.${order.channel}`, order.channel), order.id, order.placed_at && dateTime(order.placed_at)].filter(Boolean).join(" · ") }))),
        group("customer.cart", customer.cart, product),
        group("customer.viewed", customer.viewed, product),
        group("customer.attributes", Object.entries(customer.attributes ?? {}), ([name, value]) => el("li", {}, el("span", { text: tOr(`attribute.${name}`, name.replaceAll("_", " ")) }), el("span", { text: Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value) }))),
        counts.length === 0 && contacts.length === 0 && el("p", { class: "soft", text: t("customer.nothing") }),
      ),
    );
  }
}

function product(item) {
  return el("li", {}, el("span", { text: item.quantity > 1 ? `${item.title} × ${item.quantity}` : item.title }), el("span", { text: money(item.price) }));
}

function group(title, items, draw) {
  return items?.length ? el("section", {}, el("h3", { text: t(title) }), el("ul", {}, items.map(draw))) : null;
}

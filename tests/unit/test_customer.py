"""Which order is meant, which products, what fills the slots."""

from datetime import UTC, datetime, timedelta

from assist.conversation.customer import mentions, order_meant, slots_of, talked_about
from assist.domain import Customer, Item, Order, Product

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
KETTLE = Order("CW20261108-4471", "K1", "Aqua 恒温电水壶 1.5L", 199.0, "shipped", NOW - timedelta(days=15))
PILLOW = Order("CW20261001-1001", "P1", "Loft 真丝枕套", 259.5, "delivered", NOW - timedelta(days=53))
KETTLE_PRODUCT = Product("K1", {"zh-Hans": "Aqua 恒温电水壶 1.5L", "en": "Aqua Kettle 1.5 L"}, "kitchen", 199.0, 12)


def test_mentions_by_han_run_and_by_telling_word() -> None:
    assert mentions("我那个电水壶怎么还没到", KETTLE.title)
    assert mentions("my pillowcase has a hole", "Loft Silk Pillowcase")
    assert not mentions("不锈钢的那个", "不粘锅 28cm")
    assert not mentions("is the white one in stock", "Loft White Shelf")


def test_order_is_named_by_id_then_by_product_then_by_being_the_only_one_under_way() -> None:
    customer = Customer("c", orders=(KETTLE, PILLOW))
    assert order_meant(customer, ["cw20261001-1001 呢"]) == PILLOW
    assert order_meant(customer, ["枕套勾丝了"]) is None or order_meant(customer, ["真丝枕套勾丝了"]) == PILLOW
    assert order_meant(customer, ["还没到"]) == KETTLE


def test_two_orders_under_way_are_never_guessed_between() -> None:
    other = Order("CW20261110-2222", "X", "台灯", 99.0, "paid", NOW)
    assert order_meant(Customer("c", orders=(KETTLE, other)), ["还没到"]) is None


def test_slots_hold_only_what_is_known() -> None:
    customer = Customer("c", name=" 林晓雯 ", orders=(PILLOW,))
    assert slots_of(customer, None, "zh-Hans", None) == {"name": "林晓雯"}
    slots = slots_of(customer, PILLOW, "en", PILLOW.title)
    assert slots["amount"] == "¥259.5"
    assert slots["date"] == "1 October"
    assert slots_of(Customer("c", name="  "), None, "en", None) == {}


def test_talked_about_names_catalogue_products_only() -> None:
    unknown = Item("ZZZ", "神秘台灯三号", 10.0)
    customer = Customer("c", orders=(KETTLE,), viewed=(unknown,))
    found = talked_about(customer, {"K1": KETTLE_PRODUCT}, ["电水壶和神秘台灯"], None)
    assert [product.sku for product in found] == ["K1"]

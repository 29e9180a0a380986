"""What `assist` itself says to the agent, in three languages: alerts, reasons and the frame around an offer.

Wordings for customers come from the phrase library and the articles; only what a rule has to say stands here.
"""

from collections.abc import Mapping

from assist.domain import ArticleLanguage

_TEXTS: Mapping[str, tuple[str, str, str]] = {
    # code: (zh-Hans, zh-Hant, en)
    "alert.safety.title": ("人身安全", "人身安全", "Safety first"),
    "alert.safety": (
        "客户提到可能危及人身安全的情况。请先确认人是否平安、产品是否已停用，再谈其他。",
        "顧客提到可能危及人身安全的狀況。請先確認人是否平安、商品是否已停用，再談其他。",
        "The customer describes something that may harm people. First make sure everyone is safe and the product is "
        "out of use; everything else comes later.",
    ),
    "alert.supervisor.title": ("请主管关注", "請主管關注", "Supervisor, please look"),
    "alert.angry": (
        "客户已经很生气，先接住情绪，再谈方案；建议主管同步关注。",
        "顧客已經很生氣，請先安撫情緒再談處理方式；建議主管一併關注。",
        "The customer is angry. Meet the feeling before the solution; a supervisor should follow along.",
    ),
    "alert.abusive": (
        "客户使用了侮辱性语言。保持平稳，不争辩；必要时请主管接手。",
        "顧客使用了辱罵字眼。請保持平穩、不爭辯，必要時請主管接手。",
        "The customer is being abusive. Stay level and do not argue; hand over to a supervisor if it goes on.",
    ),
    "alert.churn_threat": (
        "客户表示不再购买或要注销会员。",
        "顧客表示不再購買或要取消會員。",
        "The customer says they will leave or cancel.",
    ),
    "alert.legal_threat": (
        "客户提到投诉监管部门或法律途径。请主管接手，并只说有依据的话。",
        "顧客提到消保單位或法律途徑。請主管接手，並只說有依據的話。",
        "The customer mentions a regulator or legal action. Involve a supervisor and state only what is on record.",
    ),
    "alert.media_threat": (
        "客户表示要曝光或发布到网上。请主管接手。",
        "顧客表示要公開或貼到網路上。請主管接手。",
        "The customer says they will go public. Involve a supervisor.",
    ),
    "alert.wants_human": (
        "客户要求人工或主管接待。",
        "顧客要求真人或主管處理。",
        "The customer asks for a person or a supervisor.",
    ),
    "alert.again": ("已是第 {count} 次：{text}", "已是第 {count} 次：{text}", "Again, {count} times now: {text}"),
    "alert.rising": (
        "对话正在升温（升级风险 {risk}%）。",
        "對話正在升溫（升級風險 {risk}%）。",
        "This conversation is heating up: escalation risk {risk}%.",
    ),
    "alert.rising.streak": (
        "对话正在升温（升级风险 {risk}%），已连续 {streak} 句负面。",
        "對話正在升溫（升級風險 {risk}%），已連續 {streak} 句負面。",
        "This conversation is heating up: escalation risk {risk}%, {streak} negative messages in a row.",
    ),
    "alert.rising.title": ("对话升温", "對話升溫", "Heating up"),
    "alert.urgent.title": ("时间紧", "時間緊迫", "Short deadline"),
    "alert.urgent": (
        "客户有一天左右的期限，请优先处理，并给出有依据的时间。",
        "顧客有一天左右的期限，請優先處理，並給出有依據的時間。",
        "The customer has a deadline within about a day. Take this first and give a time that you can hold.",
    ),
    "fact.title": ("客户记录", "顧客紀錄", "From the customer's history"),
    "fact.bought_before": (
        "客户于 {date} 买过同款{product}，可以问问使用感受，并留意售后体验。",
        "顧客於 {date} 買過同款{product}，可以關心使用感受，並留意售後體驗。",
        "The customer bought the same {product} on {date}: ask how it is going and mind the after-sales experience.",
    ),
    "fact.repeated_contact": (
        "7 天内第 {count} 次为同一件事联系（{summary}）。请不要让客户再说一遍。",
        "7 天內第 {count} 次為同一件事聯繫（{summary}）。請不要讓顧客再說一遍。",
        "Contact number {count} about the same thing within 7 days ({summary}). Do not make them tell it again.",
    ),
    "fact.open_complaint": (
        "另有未结的投诉（{channel}）：{summary}",
        "另有未結的客訴（{channel}）：{summary}",
        "There is an open complaint in another channel ({channel}): {summary}",
    ),
    "fact.return_pending": (
        "{product} 的退货退款还在处理中。",
        "{product} 的退貨退款還在處理中。",
        "A return or refund is still pending for {product}.",
    ),
    "fact.high_value": (
        "高价值客户（{tier}），请优先处理。",
        "高價值顧客（{tier}），請優先處理。",
        "A high-value customer ({tier}): give this priority.",
    ),
    "fact.birthday": (
        "本月是客户生日，合适时可以送上祝福{coupon}。",
        "本月是顧客生日，合適時可以送上祝福{coupon}。",
        "The customer's birthday is this month: wish them well where it fits{coupon}.",
    ),
    "fact.birthday.coupon": ("，并提醒生日券", "，並提醒生日券", ", and mention the birthday coupon"),
    "evidence.orders": ("依据：订单 {names}", "依據：訂單 {names}", "Evidence: order {names}"),
    "evidence.contacts": ("依据：联系记录 {names}", "依據：聯繫紀錄 {names}", "Evidence: contact on {names}"),
    "evidence.of": (
        "{names}（共 {count} 条，列出最近的）",
        "{names}（共 {count} 筆，列出最近的）",
        "{names} ({count} in all, the latest named)",
    ),
    "evidence.value": (
        "依据：近一年 {orders} 笔订单，共 ¥{spend}，最近一笔在 {days} 天前",
        "依據：近一年 {orders} 筆訂單，共 ¥{spend}，最近一筆在 {days} 天前",
        "Evidence: {orders} orders within a year, ¥{spend} in all, the latest {days} days ago",
    ),
    "evidence.tier": ("依据：会员等级", "依據：會員等級", "Evidence: the membership tier"),
    "evidence.profile": (
        "依据：客户资料（{value}）",
        "依據：顧客資料（{value}）",
        "Evidence: the customer's profile ({value})",
    ),
    "list": ("、", "、", ", "),
    "known.order_number": ("订单号/单号", "訂單編號/單號", "Order or parcel number"),
    "known.phone": ("电话", "電話", "Phone"),
    "known.email": ("邮箱", "電子郵件", "E-mail"),
    "known.address": ("地址", "地址", "Address"),
    "known.size": ("尺码", "尺寸", "Size"),
    "known.deadline": ("期限", "期限", "Needed by"),
    "known.allergies": ("过敏", "過敏", "Allergies"),
    "known.skin_type": ("肤质", "膚質", "Skin type"),
    "known.budget": ("预算", "預算", "Budget"),
    "known.product": ("提到的商品", "提到的商品", "Product mentioned"),
    "known.order": ("所指订单", "所指訂單", "Order in question"),
    "known.pending": ("退货退款处理中", "退貨退款處理中", "Return or refund pending"),
    "known.cart": ("购物车", "購物車", "Cart"),
    "known.viewed": ("最近浏览", "最近瀏覽", "Looked at"),
    "known.open_contact": ("未结事项", "未結事項", "Still open"),
    "known.last_contact": ("上次联系", "上次聯繫", "Last contact"),
    "known.membership": ("会员号", "會員編號", "Membership number"),
    "known.said": ("本次对话第 {turn} 句", "本次對話第 {turn} 句", "said in turn {turn}"),
    "known.from_order": ("订单 {name}", "訂單 {name}", "order {name}"),
    "known.from_contact": ("{name}", "{name}", "{name}"),
    "known.from_profile": ("客户资料", "顧客資料", "profile"),
    "known.from_shop": ("网店记录", "網路商店紀錄", "web shop"),
    "order.paid": ("已付款", "已付款", "paid"),
    "order.shipped": ("配送中", "配送中", "on its way"),
    "order.delivered": ("已签收", "已簽收", "delivered"),
    "order.cancelled": ("已取消", "已取消", "cancelled"),
    "order.returned": ("已退货", "已退貨", "returned"),
    "order.refund_pending": ("退款中", "退款處理中", "refund pending"),
    "order.return_pending": ("退货中", "退貨處理中", "return pending"),
    "segment.core": ("核心客户", "核心顧客", "core customer"),
    "fact.allergy": (
        "记录显示客户对 {value} 过敏，推荐前请核对成分。",
        "紀錄顯示顧客對 {value} 過敏，推薦前請核對成分。",
        "On record: allergic to {value}. Check the ingredients before you recommend anything.",
    ),
    "fact.size_on_record": (
        "已知尺码：{value}，不必再问。",
        "已知尺寸：{value}，不必再問。",
        "Size on record: {value}. No need to ask again.",
    ),
    "tier.gold": ("金卡会员", "金卡會員", "Gold member"),
    "tier.platinum": ("白金会员", "白金會員", "Platinum member"),
    "channel.chat": ("在线客服", "線上客服", "chat"),
    "channel.voice": ("电话", "電話", "phone"),
    "channel.email": ("邮件", "電子郵件", "e-mail"),
    "channel.social": ("社交媒体", "社群媒體", "social media"),
    "channel.store": ("门店", "門市", "store"),
    "channel.online": ("线上", "線上", "online"),
    "offer.title": ("可以推荐", "可以推薦", "Worth offering"),
    "offer.text": (
        "{pitch}{title}，现价 ¥{price}，有现货，您需要的话我把链接发给您。",
        "{pitch}{title}，目前售價 ¥{price}，有現貨，需要的話我把連結傳給您。",
        "{pitch}It is the {title}, ¥{price} and in stock. Shall I send you the link?",
    ),
    "offer.why.complement": (
        "与客户{when}的{product}搭配使用",
        "可搭配顧客{when}的{product}",
        "goes with the {product} {when}",
    ),
    "offer.why.content": (
        "符合客户刚才说的需求",
        "符合顧客剛才提到的需求",
        "fits what the customer has just asked for",
    ),
    "offer.why.viewed": ("客户看过这款", "顧客看過這款", "the customer has looked at it"),
    "offer.text.nearest": (
        "{wanted}目前没有现货。最接近的是{title}，¥{price}，有现货，您需要的话我把链接发给您。",
        "{wanted}目前缺貨。最接近的是{title}，¥{price}，有現貨，需要的話我把連結傳給您。",
        "We are out of the {wanted} at the moment. The closest in stock: {title}, ¥{price}. Shall I send you the link?",
    ),
    "offer.text.nearest.better": (
        "{wanted}目前没有现货。最接近的是{title}，¥{price}，有现货，而且{better}。您需要的话我把链接发给您。",
        "{wanted}目前缺貨。最接近的是{title}，¥{price}，有現貨，而且{better}。需要的話我把連結傳給您。",
        "We are out of the {wanted} at the moment. The closest in stock: {title}, ¥{price}, with {better}. "
        "Shall I send you the link?",
    ),
    "offer.text.better": (
        "{wanted}目前没有现货。如果想再好一些，{title}有现货，¥{price}，{better}。您需要的话我把链接发给您。",
        "{wanted}目前缺貨。如果想再升級一點，{title}有現貨，¥{price}，{better}。需要的話我把連結傳給您。",
        "We are out of the {wanted} at the moment. One step up and in stock: {title}, ¥{price}, with {better}. "
        "Shall I send you the link?",
    ),
    "offer.text.due": (
        "您之前买的{title}可能快用完了，现价 ¥{price}，有现货，您需要的话我把链接发给您。",
        "您先前購買的{title}可能快用完了，目前售價 ¥{price}，有現貨，需要的話我把連結傳給您。",
        "You may be running low on the {title} you bought: ¥{price} at the moment and in stock. "
        "Shall I send you the link?",
    ),
    "offer.why.nearest": (
        "客户问的{product}缺货，这款是最接近的现货",
        "顧客詢問的{product}缺貨，這款是最接近的現貨",
        "asked for, but out of stock: {product}; this one is the nearest in stock",
    ),
    "offer.why.better": (
        "客户问的{product}缺货，这款有货，而且{better}",
        "顧客詢問的{product}缺貨，這款有現貨，而且{better}",
        "asked for, but out of stock: {product}; this one is in stock, with {better}",
    ),
    "offer.why.together": (
        "常与客户{when}的{product}一起买（{orders} 笔订单）",
        "常與顧客{when}的{product}一起購買（{orders} 筆訂單）",
        "often bought with the {product} {when} ({orders} orders)",
    ),
    "offer.why.habit": (
        "{date} 买过，平时约 {days} 天买一次，差不多该用完了",
        "{date} 買過，平均約 {days} 天買一次，差不多該用完了",
        "bought on {date}, as about every {days} days: about used up",
    ),
    "offer.why.used_up": (
        "{date} 买过，一般能用 {days} 天左右，差不多该用完了",
        "{date} 買過，一般可用 {days} 天左右，差不多該用完了",
        "bought on {date}, usually lasts about {days} days: about used up",
    ),
    "better.anc": ("带主动降噪", "有主動降噪", "active noise cancelling"),  # codespell:ignore anc
    "better.battery_h": (
        "续航更长（{value} 小时，原款 {other} 小时）",
        "續航更長（{value} 小時，原款 {other} 小時）",
        "longer battery life ({value} h instead of {other})",
    ),
    "better.noise_db": (
        "更安静（{value} dB，原款 {other} dB）",
        "更安靜（{value} dB，原款 {other} dB）",
        "quieter running ({value} dB instead of {other})",
    ),
    "better.suction_pa": (
        "吸力更强（{value} Pa，原款 {other} Pa）",
        "吸力更強（{value} Pa，原款 {other} Pa）",
        "stronger suction ({value} Pa instead of {other})",
    ),
    "better.suction_aw": (
        "吸力更强（{value} AW，原款 {other} AW）",
        "吸力更強（{value} AW，原款 {other} AW）",
        "stronger suction ({value} AW instead of {other})",
    ),
    "better.airflow_m3h": (
        "风量更大（{value} m³/h，原款 {other} m³/h）",
        "風量更大（{value} m³/h，原款 {other} m³/h）",
        "a stronger airflow ({value} m³/h instead of {other})",
    ),
    "better.cadr_m3h": (
        "净化更快（{value} m³/h，原款 {other} m³/h）",
        "淨化更快（{value} m³/h，原款 {other} m³/h）",
        "a higher clean air rate ({value} m³/h instead of {other})",
    ),
    "better.area_m2": (
        "适用面积更大（{value} m²，原款 {other} m²）",
        "適用面積更大（{value} m²，原款 {other} m²）",
        "wider coverage ({value} m² instead of {other})",
    ),
    "better.capacity_l": (
        "容量更大（{value} L，原款 {other} L）",
        "容量更大（{value} L，原款 {other} L）",
        "a larger capacity ({value} L instead of {other})",
    ),
    "better.capacity_ml": (
        "容量更大（{value} ml，原款 {other} ml）",
        "容量更大（{value} ml，原款 {other} ml）",
        "a larger capacity ({value} ml instead of {other})",
    ),
    "better.capacity_mah": (
        "电量更大（{value} mAh，原款 {other} mAh）",
        "電量更大（{value} mAh，原款 {other} mAh）",
        "a larger battery ({value} mAh instead of {other})",
    ),
    "better.run_h": (
        "一次能用更久（{value} 小时，原款 {other} 小时）",
        "一次可用更久（{value} 小時，原款 {other} 小時）",
        "a longer run time ({value} h instead of {other})",
    ),
    "better.self_empty": ("能自动集尘", "可自動集塵", "a self-emptying base"),
    "better.gps": ("带 GPS", "有 GPS", "GPS"),
    "better.waterproof_mm": (
        "更防水（{value} mm，原款 {other} mm）",
        "防水係數更高（{value} mm，原款 {other} mm）",
        "better waterproofing ({value} mm instead of {other})",
    ),
    "better.max_load_kg": (
        "承重更高（{value} kg，原款 {other} kg）",
        "承重更高（{value} kg，原款 {other} kg）",
        "a higher load limit ({value} kg instead of {other})",
    ),
    "better.comfort_c": (
        "更保暖（舒适温度 {value} °C，原款 {other} °C）",
        "更保暖（舒適溫度 {value} °C，原款 {other} °C）",
        "a warmer comfort rating ({value} °C instead of {other})",
    ),
    "better.meals_day": (
        "每天可设更多餐（{value} 餐，原款 {other} 餐）",
        "每天可設定更多餐（{value} 餐，原款 {other} 餐）",
        "more meals to set a day ({value} instead of {other})",
    ),
    "better.rating": (
        "评分更高（{value}，原款 {other}）",
        "評分更高（{value}，原款 {other}）",
        "a better rating ({value} instead of {other})",
    ),
    "offer.when.bought": ("{date} 购买", "{date} 購買", "they bought on {date}"),
    "offer.when.cart": ("购物车里", "購物車裡", "in their cart"),
    "offer.when.talk": ("正在咨询", "正在詢問", "they are asking about"),
    "replacement.title": ("有货的替代品", "有現貨的替代品", "In stock instead"),
    "replacement.text": (
        "如果您愿意，也可以换成{title}，现在有货，价格 ¥{price}，差价我来帮您核对。",
        "如果您願意，也可以換成{title}，目前有現貨，售價 ¥{price}，差額我會幫您核對。",
        "If you would rather have something else, the {title} is in stock at ¥{price}. I can check the price "
        "difference for you.",
    ),
    "replacement.why": (
        "问题出在{product}本身，这款有货",
        "問題出在{product}本身，這款有現貨",
        "the problem is the {product} itself; this one is in stock",
    ),
    "calming.title": ("安抚话术", "安撫用語", "Calming words"),
    "next_step.title": ("下一步", "下一步", "Next step"),
    "question.title": ("可以问一句", "可以問一句", "One question to ask"),
    "close.title": ("温暖收尾", "溫暖收尾", "Warm close"),
    "why.emotion": (
        "客户此刻：{emotion}（{percent}%）",
        "顧客此刻：{emotion}（{percent}%）",
        "The customer is {emotion} ({percent}%)",
    ),
    "why.discover": (
        "需求还不清楚，先问一句再推荐",
        "需求還不清楚，先問一句再推薦",
        "The need is not clear yet: ask before proposing",
    ),
    "why.clarify": ("先弄清卡在哪一步", "先弄清楚卡在哪一步", "Find out which step is the difficulty"),
    "why.close": ("客户满意，可以收尾", "顧客滿意，可以收尾", "The customer is content; time for a warm close"),
    "why.case": ("相似的情况，已解决", "類似的情況，已解決", "A similar case that was resolved"),
    "why.case.csat": (
        "相似的情况，已解决，满意度 {csat}/5",
        "類似的情況，已解決，滿意度 {csat}/5",
        "A similar case, resolved, CSAT {csat}/5",
    ),
    "why.matched": ("客户提到：{terms}", "顧客提到：{terms}", "The customer mentions: {terms}"),
    "why.meaning": ("与客户说的意思相近", "與顧客說的意思相近", "Close in meaning to what the customer says"),
    "why.other_language": (
        "只有{language}版本，发送前请翻译",
        "只有{language}版本，傳送前請翻譯",
        "Only available in {language}: translate before sending",
    ),
    "language.zh-Hans": ("简体中文", "簡體中文", "simplified Chinese"),
    "language.zh-Hant": ("繁体中文", "繁體中文", "traditional Chinese"),
    "language.en": ("英文", "英文", "English"),
    "emotion.neutral": ("平静", "平靜", "calm"),
    "emotion.satisfied": ("满意", "滿意", "satisfied"),
    "emotion.confused": ("困惑", "困惑", "confused"),
    "emotion.anxious": ("焦虑", "焦慮", "anxious"),
    "emotion.disappointed": ("失望", "失望", "disappointed"),
    "emotion.frustrated": ("不满", "不滿", "frustrated"),
    "emotion.angry": ("愤怒", "憤怒", "angry"),
    "emotion.unknown": ("未知", "未知", "unknown"),
}
_COLUMN: Mapping[ArticleLanguage, int] = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}


def say(code: str, language: ArticleLanguage, /, **values: str | int) -> str:
    """The wording of `code` in `language` with its `{values}` filled in.

    Raises:
        KeyError: there is no such code, or a value that its wording needs was not given.
    """
    return _TEXTS[code][_COLUMN[language]].format(**values)

-- Statements for a shop whose database has the tables below. Write yours for your own tables.
--   people(id, full_name, level, card_no, mail, mobile, handle, birthday), mobile as 13800138000
--   sales(person_id, number, sku, name, paid, state, sold_at, till), till is NULL for the web shop
--   cases(person_id, opened_at, via, topic, note, closed_at)

-- customer
SELECT id, full_name AS name, level AS tier, card_no AS membership, mail AS email, mobile AS phone, handle, birthday
FROM people
WHERE id = :customer_id OR card_no = :membership OR lower(mail) = :email OR mobile = :phone OR lower(handle) = :handle;

-- orders
SELECT number AS id, sku, name AS title, paid AS price, state AS status, sold_at AS placed_at,
       CASE WHEN till IS NULL THEN 'online' ELSE 'store' END AS channel
FROM sales
WHERE person_id = :customer_id
ORDER BY sold_at DESC
LIMIT 200;

-- contacts
SELECT opened_at AS at, via AS channel, topic AS situation, note AS summary, closed_at IS NULL AS open
FROM cases
WHERE person_id = :customer_id
ORDER BY opened_at DESC
LIMIT 50;

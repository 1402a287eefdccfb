CREATE OR REPLACE FUNCTION {function}(oid STRING COMMENT 'The order')
RETURNS TABLE (
    order_id STRING,
    location_id INT,
    location STRING,
    order_ts TIMESTAMP,
    item_name STRING,
    brand STRING,
    qty INT,
    price DOUBLE,
    extended_price DOUBLE
)
COMMENT 'What was ordered: a row per item, with the brand that cooked it and what it cost'
RETURN
SELECT
    ordered.order_id,
    ordered.location_id,
    locations.name AS location,
    ordered.order_ts,
    ordered.item_name,
    brands.name AS brand,
    ordered.qty,
    ordered.price,
    ordered.extended_price
FROM {lakeflow}.silver_order_items AS ordered
LEFT JOIN {simulator}.locations AS locations ON locations.location_id = ordered.location_id
LEFT JOIN {simulator}.brands AS brands ON brands.brand_id = ordered.brand_id
WHERE ordered.order_id = oid

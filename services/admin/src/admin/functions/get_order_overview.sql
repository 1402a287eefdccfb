CREATE OR REPLACE FUNCTION {function}(oid STRING COMMENT 'The order')
RETURNS TABLE (
    order_id STRING,
    location_id INT,
    location STRING,
    order_ts TIMESTAMP,
    order_total DOUBLE,
    items STRING,
    customer_addr STRING
)
COMMENT 'An order in one row; items is a JSON array with item, brand, qty, price and extended_price of each'
RETURN
SELECT
    ordered.order_id,
    ordered.location_id,
    locations.name AS location,
    ordered.order_ts,
    ordered.order_total,
    ordered.items,
    placed.customer_addr
FROM (
    SELECT
        silver.order_id,
        max(silver.location_id) AS location_id,
        max(silver.order_ts) AS order_ts,
        round(sum(silver.extended_price), 2) AS order_total,
        to_json(
            sort_array(
                collect_list(
                    named_struct(
                        'item', silver.item_name,
                        'brand', brands.name,
                        'qty', silver.qty,
                        'price', silver.price,
                        'extended_price', silver.extended_price
                    )
                )
            )
        ) AS items
    FROM {lakeflow}.silver_order_items AS silver
    LEFT JOIN {simulator}.brands AS brands ON brands.brand_id = silver.brand_id
    WHERE silver.order_id = oid
    GROUP BY silver.order_id
) AS ordered
LEFT JOIN {simulator}.locations AS locations ON locations.location_id = ordered.location_id
LEFT JOIN (
    SELECT order_id, max(get_json_object(body, '$.customer_addr')) AS customer_addr
    FROM {lakeflow}.all_events
    WHERE order_id = oid AND event_type = 'order_created'
    GROUP BY order_id
) AS placed ON placed.order_id = ordered.order_id

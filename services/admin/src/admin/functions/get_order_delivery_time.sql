CREATE OR REPLACE FUNCTION {function}(oid STRING COMMENT 'The order')
RETURNS TABLE (
    order_id STRING,
    location_id INT,
    created_ts TIMESTAMP,
    delivered_ts TIMESTAMP,
    delivery_minutes DOUBLE
)
COMMENT 'How long an order took from being placed until it was delivered; no row while it is under way'
RETURN
SELECT
    order_id,
    location_id,
    created_ts,
    delivered_ts,
    round((unix_millis(delivered_ts) - unix_millis(created_ts)) / 60000.0D, 2) AS delivery_minutes
FROM (
    SELECT
        order_id,
        max(location_id) AS location_id,
        min(CASE WHEN event_type = 'order_created' THEN ts END) AS created_ts,
        max(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered_ts
    FROM {lakeflow}.all_events
    WHERE order_id = oid AND event_type IN ('order_created', 'delivered')
    GROUP BY order_id
) AS times
WHERE created_ts IS NOT NULL AND delivered_ts IS NOT NULL

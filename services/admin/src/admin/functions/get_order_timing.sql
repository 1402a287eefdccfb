CREATE OR REPLACE FUNCTION {function}(oid STRING COMMENT 'The order')
RETURNS TABLE (
    order_id STRING,
    created_ts TIMESTAMP,
    kitchen_started_ts TIMESTAMP,
    kitchen_finished_ts TIMESTAMP,
    ready_ts TIMESTAMP,
    driver_arrived_ts TIMESTAMP,
    picked_up_ts TIMESTAMP,
    delivered_ts TIMESTAMP,
    kitchen_minutes DOUBLE,
    waiting_minutes DOUBLE,
    driving_minutes DOUBLE,
    delivery_minutes DOUBLE
)
COMMENT 'When each step of an order came: cooking, waiting for the driver, driving, and all of it; null before it came'
RETURN
SELECT
    order_id,
    created_ts,
    kitchen_started_ts,
    kitchen_finished_ts,
    ready_ts,
    driver_arrived_ts,
    picked_up_ts,
    delivered_ts,
    round((unix_millis(kitchen_finished_ts) - unix_millis(kitchen_started_ts)) / 60000.0D, 2) AS kitchen_minutes,
    round((unix_millis(picked_up_ts) - unix_millis(ready_ts)) / 60000.0D, 2) AS waiting_minutes,
    round((unix_millis(delivered_ts) - unix_millis(picked_up_ts)) / 60000.0D, 2) AS driving_minutes,
    round((unix_millis(delivered_ts) - unix_millis(created_ts)) / 60000.0D, 2) AS delivery_minutes
FROM (
    SELECT
        order_id,
        min(CASE WHEN event_type = 'order_created' THEN ts END) AS created_ts,
        min(CASE WHEN event_type = 'gk_started' THEN ts END) AS kitchen_started_ts,
        max(CASE WHEN event_type = 'gk_finished' THEN ts END) AS kitchen_finished_ts,
        max(CASE WHEN event_type = 'gk_ready' THEN ts END) AS ready_ts,
        max(CASE WHEN event_type = 'driver_arrived' THEN ts END) AS driver_arrived_ts,
        max(CASE WHEN event_type = 'driver_picked_up' THEN ts END) AS picked_up_ts,
        max(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered_ts
    FROM {lakeflow}.all_events
    WHERE order_id = oid
    GROUP BY order_id
) AS times

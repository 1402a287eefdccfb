CREATE OR REPLACE FUNCTION {function}(loc INT COMMENT 'The location')
RETURNS TABLE (
    location_id INT,
    orders BIGINT,
    p50_minutes DOUBLE,
    p75_minutes DOUBLE,
    p99_minutes DOUBLE,
    from_ts TIMESTAMP,
    until_ts TIMESTAMP
)
COMMENT 'Delivery minutes at a location over the 24 hours before its latest delivery; no row before the first one'
RETURN
SELECT
    location_id,
    count(*) AS orders,
    round(percentile(minutes, 0.5), 2) AS p50_minutes,
    round(percentile(minutes, 0.75), 2) AS p75_minutes,
    round(percentile(minutes, 0.99), 2) AS p99_minutes,
    max(latest_ts) - INTERVAL 24 HOURS AS from_ts,
    max(latest_ts) AS until_ts
FROM (
    SELECT
        location_id,
        delivered_ts,
        (unix_millis(delivered_ts) - unix_millis(created_ts)) / 60000.0D AS minutes,
        max(delivered_ts) OVER () AS latest_ts
    FROM (
        SELECT
            order_id,
            max(location_id) AS location_id,
            min(CASE WHEN event_type = 'order_created' THEN ts END) AS created_ts,
            max(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered_ts
        FROM {lakeflow}.all_events
        WHERE location_id = loc AND event_type IN ('order_created', 'delivered')
        GROUP BY order_id
    ) AS times
    WHERE created_ts IS NOT NULL AND delivered_ts IS NOT NULL
) AS deliveries
WHERE delivered_ts > latest_ts - INTERVAL 24 HOURS
GROUP BY location_id

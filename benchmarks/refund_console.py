"""The refund console with a million cases: pages of the queue, the summary, decisions; one worker, 16 clients."""

import json
import sys
from random import Random

from benchmarks.console_load import Console, main
from tests.support.refunds import console_app, refund_cluster

_CASES = """
INSERT INTO refunds.cases (order_id, recommended_at, order_ts, delivered_ts, location_id, location, brands,
    customer_addr, order_total, delivery_minutes, p50_minutes, p75_minutes, p99_minutes, refund_usd, refund_class,
    reason, origin, agent_version, run_id)
SELECT md5(n::text), ts, ts, ts, place, 'Location ' || place, ARRAY['Brand ' || n % 24],
       n % 999 || ' Main St', 40, minutes, 25, 33, 55,
       CASE WHEN n % 33 = 0 THEN NULL ELSE CASE class WHEN 'none' THEN 0 WHEN 'full' THEN 40 ELSE 10 END END,
       CASE WHEN n % 33 = 0 THEN NULL ELSE class END,
       'Delivered in ' || minutes || ' minutes; the P75 of this location is 33 and its P99 is 55.',
       CASE WHEN n % 33 = 0 THEN 'error' WHEN n % 3 = 0 THEN 'model' ELSE 'rules' END, 'refund-1', 'run-' || n
  FROM (SELECT n, timestamptz '2026-01-01' + n * interval '1 second' AS ts, 15 + n % 47 AS minutes,
               1 + (n / 7) % 4 AS place, CASE WHEN n % 100 < 75 THEN 'none' WHEN n % 100 < 98 THEN 'partial' ELSE 'full' END AS class
          FROM generate_series(1, %s) AS n) AS made
"""
_DECISIONS = """
WITH chosen AS (SELECT order_id FROM refunds.cases WHERE right(run_id, 2) = '17' AND refund_class IS NOT NULL),
made AS (
    INSERT INTO refunds.refund_decisions (decision_id, order_id, round, step, case_version, action, refund_usd,
        refund_class, decided_by, decided_at, by, policy_version, agent_origin)
    SELECT gen_random_uuid(), order_id, 0, 'first', 1, 'accept', refund_usd, refund_class, 'ada@example.com', now(),
           'person', 1, origin
      FROM refunds.cases JOIN chosen USING (order_id)
    RETURNING *)
UPDATE refunds.cases AS c
   SET status = 'decided', version = 2, decision_id = made.decision_id, decided_by = made.decided_by,
       decided_at = made.decided_at, final_usd = made.refund_usd, final_class = made.refund_class
  FROM made WHERE made.order_id = c.order_id
"""


def _filters(chance: Random) -> str:
    return f"refund_class={chance.choice(('partial', 'full', 'none'))}&location_id={chance.randint(1, 4)}"


def _accept(order_id: str) -> bytes:
    return json.dumps({"order_id": order_id, "version": 1, "action": "accept"}).encode()


CONSOLE = Console(
    name="Refund console",
    module="benchmarks.refund_console",
    cluster=refund_cluster,
    app=lambda database, port: console_app(database, port=port),
    fill=(_CASES, _DECISIONS, "VACUUM ANALYZE refunds.cases"),
    filters=_filters,
    sort="newest",
    last_page="SELECT recommended_at AS key, order_id AS case_id FROM refunds.cases WHERE status = 'pending' "
    "ORDER BY recommended_at, order_id OFFSET 50 LIMIT 1",
    undecided="SELECT order_id AS case_id FROM refunds.cases WHERE status = 'pending' AND refund_usd IS NOT NULL "
    "ORDER BY md5(order_id) LIMIT 50000",
    decide=_accept,
    summary="/api/summary",
)

if __name__ == "__main__":
    main(CONSOLE, sys.argv[1:])

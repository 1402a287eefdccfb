"""The complaint console with a million responses: pages of the queue, the totals, reviews; one worker, 16 clients."""

import json
import sys
from random import Random

from benchmarks.console_load import Console, main
from tests.support.complaints import CATEGORIES, complaint_cluster, console_app

_CASES = """
INSERT INTO reviews.cases (complaint_id, order_id, recommended_at, complained_at, order_ts, delivered_ts, location_id,
    location, brands, customer_addr, order_total, delivery_minutes, p50_minutes, p75_minutes, p99_minutes,
    complaint_text, complaint_category, decision, credit_usd, confidence, priority, rationale, customer_response,
    origin, agent_version, run_id, place_in_line)
SELECT 'C-' || md5(n::text), md5('order' || n), ts, ts - interval '3 seconds', ts - interval '40 minutes',
       ts - interval '5 minutes', place, 'Location ' || place, ARRAY['Brand ' || n % 24], n % 999 || ' Main St', 40,
       minutes, 25, 33, 55,
       'My order ' || md5('order' || n) || ' took ' || minutes || ' minutes, and when it came at last it was not what I '
           || 'had paid for. I have ordered here for years; please tell me what you are going to do about it. (' || n || ')',
       about, CASE WHEN urgency IS NULL THEN 'suggest_credit' ELSE 'escalate' END,
       CASE WHEN urgency IS NULL THEN 2 + n % 17 * 0.5 END, CASE WHEN urgency IS NULL THEN 'high' END, urgency,
       'Delivered in ' || minutes || ' minutes; the P75 of this location is 33 and its P99 is 55. The policy applies.',
       'We are sorry that your order was not as it should have been. We have looked into it and will do better.',
       CASE WHEN n % 33 = 0 THEN 'error' WHEN n % 3 = 0 THEN 'model' ELSE 'rules' END, 'complaint-1', 'run-' || n,
       CASE urgency WHEN 'urgent' THEN 0 WHEN 'standard' THEN 1e11 ELSE 2e11 END + extract(epoch FROM ts)
  FROM (SELECT made.*, CASE WHEN n % 100 < 2 THEN 'urgent' WHEN n % 33 = 0 OR about IN ('service_issue', 'other')
                            THEN 'standard' END AS urgency
          FROM (SELECT n, timestamptz '2026-01-01' + n * interval '1 second' AS ts, 15 + n % 47 AS minutes,
                       1 + (n / 7) % 4 AS place,
                       CASE WHEN n % 100 < 40 THEN 'delivery_delay' WHEN n % 100 < 65 THEN 'missing_items'
                            WHEN n % 100 < 85 THEN 'food_quality' WHEN n % 100 < 95 THEN 'service_issue'
                            ELSE 'other' END AS about
                  FROM generate_series(1, %s) AS n) AS made) AS judged
"""
_REVIEWS = """
WITH chosen AS (SELECT complaint_id FROM reviews.cases WHERE right(run_id, 2) = '17'),
made AS (
    INSERT INTO reviews.complaint_reviews (decision_id, complaint_id, round, step, case_version, action, credit_usd,
        complaint_category, outcome, reply, decided_by, decided_at, by, policy_version, agent_usd, agent_decision,
        agent_origin)
    SELECT gen_random_uuid(), complaint_id, 0, 'first', 1,
           CASE decision WHEN 'escalate' THEN 'close' ELSE 'approve' END, coalesce(credit_usd, 0), complaint_category,
           CASE decision WHEN 'escalate' THEN 'closed' ELSE 'credited' END, customer_response, 'ada@example.com', now(),
           'person', 1, credit_usd, decision, origin
      FROM reviews.cases JOIN chosen USING (complaint_id)
    RETURNING *)
UPDATE reviews.cases AS c
   SET status = 'decided', version = 2, decision_id = made.decision_id, decided_by = made.decided_by,
       decided_at = made.decided_at, final_usd = made.credit_usd, final_category = made.complaint_category,
       final_outcome = made.outcome, final_reply = made.reply
  FROM made WHERE made.complaint_id = c.complaint_id
"""


def _filters(chance: Random) -> str:
    return f"complaint_category={chance.choice(CATEGORIES)}&location_id={chance.randint(1, 4)}"


def _approve(complaint_id: str) -> bytes:
    return json.dumps({"complaint_id": complaint_id, "version": 1, "action": "approve"}).encode()


CONSOLE = Console(
    name="Complaint console",
    module="benchmarks.complaint_console",
    cluster=complaint_cluster,
    app=lambda database, port: console_app(database, port=port),
    fill=(_CASES, _REVIEWS, "VACUUM ANALYZE reviews.cases"),
    filters=_filters,
    sort="urgent",
    last_page="SELECT place_in_line AS key, complaint_id AS case_id FROM reviews.cases WHERE status = 'pending' "
    "ORDER BY place_in_line DESC, complaint_id DESC OFFSET 50 LIMIT 1",
    undecided="SELECT complaint_id AS case_id FROM reviews.cases WHERE status = 'pending' "
    "AND decision = 'suggest_credit' ORDER BY md5(complaint_id) LIMIT 50000",
    decide=_approve,
    summary="/api/queue/counts",
)

if __name__ == "__main__":
    main(CONSOLE, sys.argv[1:])

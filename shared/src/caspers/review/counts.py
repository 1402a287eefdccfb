"""How many cases there are of each kind, as a journal of differences kept by the database itself.

The sum over a kind is its count, always exact, and writers never wait for each other. Intake folds the journal now and
then, so that it stays short. A kind is a combination of columns of the cases, of which `status` is one.
"""

from typing import LiteralString

_JOURNAL: LiteralString = """
CREATE OR REPLACE FUNCTION {schema}.count_cases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO {counts} ({kinds}, cases, agent_usd, final_usd)
        SELECT {kinds}, count(*), coalesce(sum({agent_usd}), 0), coalesce(sum(final_usd), 0)
          FROM after GROUP BY {kinds};
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO {counts} ({kinds}, cases, agent_usd, final_usd)
        SELECT {kinds}, -count(*), -coalesce(sum({agent_usd}), 0), -coalesce(sum(final_usd), 0)
          FROM before GROUP BY {kinds};
    ELSE
        INSERT INTO {counts} ({kinds}, cases, agent_usd, final_usd)
        SELECT {kinds}, sum(sign), coalesce(sum(sign * {agent_usd}), 0), coalesce(sum(sign * final_usd), 0)
          FROM (SELECT 1 AS sign, after.* FROM after UNION ALL SELECT -1, before.* FROM before) AS both_sides
         GROUP BY {kinds}
        HAVING sum(sign) <> 0 OR sum(sign * {agent_usd}) <> 0 OR sum(sign * final_usd) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER count_new_cases AFTER INSERT ON {cases}
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION {schema}.count_cases();
CREATE OR REPLACE TRIGGER count_changed_cases AFTER UPDATE ON {cases}
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION {schema}.count_cases();
CREATE OR REPLACE TRIGGER count_removed_cases AFTER DELETE ON {cases}
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION {schema}.count_cases();
"""

#: Two copies may fold at once: each row is taken out by one of them, and its difference put back by the same.
_FOLD: LiteralString = """
WITH folded AS (DELETE FROM {counts} RETURNING *)
INSERT INTO {counts} ({kinds}, cases, agent_usd, final_usd)
SELECT {kinds}, sum(cases), sum(agent_usd), sum(final_usd) FROM folded GROUP BY {kinds} HAVING sum(cases) <> 0
"""


def journal_statement(kinds: LiteralString, agent_usd: LiteralString) -> LiteralString:
    """What keeps the table of counts; `kinds` are its columns, `agent_usd` is the column of what the agent would pay."""
    return _JOURNAL.replace("{kinds}", kinds).replace("{agent_usd}", agent_usd)


def fold_statement(kinds: LiteralString) -> LiteralString:
    """What makes the journal short again."""
    return _FOLD.replace("{kinds}", kinds)

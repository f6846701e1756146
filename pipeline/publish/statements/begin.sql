-- Nothing waits forever, so that a forgotten session cannot stop the schedule.
set local lock_timeout = '60s';
set local statement_timeout = '30min';
set local idle_in_transaction_session_timeout = '60min';
set local timezone = 'UTC';
-- The indexes are in memory as a rule, and a delta touches a small part of the tables.
set local random_page_cost = 1.1;
set local jit = off;

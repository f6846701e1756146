-- Nothing waits forever for a lock, so that a forgotten session cannot stop the schedule.
set local lock_timeout = '60s';
set local timezone = 'UTC';
-- The indexes are in memory as a rule, and a delta touches a small part of the tables.
set local random_page_cost = 1.1;
set local jit = off;

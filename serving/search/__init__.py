"""What a process keeps of the published jobs to find and count them: filters, order, words.

PostgreSQL needs time in proportion to the matches to count them, or to tell the frequent
values among them. A bitmap of a million jobs has 125 KB, so that here both take well under a
millisecond. What is kept is all of one edition, and brought to the next by what changed; texts
and whatever else a job has stay in PostgreSQL.
"""

insert into kept_postings (posting_id)
select posting_id from incoming_postings

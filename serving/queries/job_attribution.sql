select attribution from sources as known where known.source = jobs.source

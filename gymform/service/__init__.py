"""Work that outlives a page: the analysis queue and its worker, stores and review sessions."""

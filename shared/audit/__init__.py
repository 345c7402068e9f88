"""Who changed what: recorded with the change itself, masked, and chained so that nothing can be taken out unseen."""

"""Matches events and delivers them.

Where to read, in the order of an event's way:

handler      takes wakes and ticks
dispatcher   the loops of a process, and how it takes and leaves shards; `leases`, `ears` and `clock` beside it
work         what is in memory: shards, events, deliveries
reader       events in the order of their commits; `subscriptions` (with `special` and `binding`) says who wants them
router       from an event to its deliveries; `orders` says which of an order may go at once
due          deliveries that wait as rows, and their way back
gate         how many requests a sink gets, and whether any; `gates` has those of all, `health` tells others of it
progress     an attempt and what comes of it; `sender` makes special ones, `attempt` and `message` plain ones
endings      the next state of a delivery; `replies` stores what came back
recorder     writes what has ended
load         what others are told of how much there is to do
queries      all statements
"""

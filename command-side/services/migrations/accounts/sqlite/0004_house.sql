-- Which database this is, among all that a shop could be started on: an id that is made once and goes along with a copy.
CREATE TABLE house (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
) STRICT;

//! Read models built from the log, live and rebuilt by one path.

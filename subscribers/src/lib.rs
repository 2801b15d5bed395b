//! Subscribers: those who listen to the log and act once per event, beside the sagas.

//! What every payment provider must do, whichever adapter speaks to it.

//! What readers are answered, said in short lines: `order-1/0` is an event, `first 3` a first stream position.

mod corner;
mod door;
mod faults;
mod following;
mod frames;
mod large;
mod once;
mod watched;

pub(super) use self::corner::recorded_of;

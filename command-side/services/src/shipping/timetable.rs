//! Which parcel is due when: a heap, so that one task can look after any number of parcels.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use event_schemas::{ShipmentId, shipment::ParcelStatus};
use tokio::time::Instant;

/// A parcel that is due for its next report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) shipment_id: ShipmentId,
    /// What the carrier will see next.
    pub(super) next: ParcelStatus,
    /// Reports of this status that did not get through.
    pub(super) failures: u32,
}

/// The parcels that are under way.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    heap: BinaryHeap<Reverse<(Instant, ShipmentId)>>,
    parcels: HashMap<ShipmentId, (Instant, Due)>,
}

impl Timetable {
    /// Enters a parcel, or moves it to another time.
    pub(super) fn enter(&mut self, at: Instant, due: Due) {
        self.parcels.insert(due.shipment_id, (at, due));
        self.heap.push(Reverse((at, due.shipment_id)));
    }

    /// Strikes a parcel out.
    pub(super) fn strike(&mut self, shipment_id: ShipmentId) -> Option<Due> {
        self.parcels.remove(&shipment_id).map(|(_, due)| due)
    }

    pub(super) fn contains(&self, shipment_id: ShipmentId) -> bool {
        self.parcels.contains_key(&shipment_id)
    }

    /// When the next parcel is due.
    pub(super) fn next_at(&mut self) -> Option<Instant> {
        loop {
            let Reverse((at, shipment_id)) = *self.heap.peek()?;
            if self
                .parcels
                .get(&shipment_id)
                .is_some_and(|(current, _)| *current == at)
            {
                return Some(at);
            }
            // Struck out or moved since.
            self.heap.pop();
        }
    }

    /// Takes out at most `max` parcels that are due, the longest due first.
    pub(super) fn take_due(&mut self, now: Instant, max: usize) -> Vec<Due> {
        let mut due = vec![];
        while due.len() < max && self.next_at().is_some_and(|at| at <= now) {
            if let Some(Reverse((_, shipment_id))) = self.heap.pop() {
                due.extend(self.strike(shipment_id));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn due(number: u128) -> Due {
        Due {
            shipment_id: ShipmentId::from_uuid(uuid::Uuid::from_u128(number)),
            next: ParcelStatus::PickedUp,
            failures: 0,
        }
    }

    #[test]
    fn parcels_come_out_in_the_order_of_their_times_once() {
        let (mut timetable, now) = (Timetable::default(), Instant::now());
        let after = |millis| now + Duration::from_millis(millis);
        timetable.enter(after(30), due(3));
        timetable.enter(after(10), due(1));
        timetable.enter(after(20), due(2));
        timetable.enter(after(40), due(1));
        assert_eq!(timetable.next_at(), Some(after(20)), "the first was moved");
        timetable.strike(due(2).shipment_id);
        assert!(timetable.take_due(after(29), 9).is_empty());
        assert_eq!(timetable.take_due(after(50), 1), [due(3)]);
        assert_eq!(timetable.take_due(after(50), 9), [due(1)]);
        assert_eq!(
            (timetable.next_at(), timetable.contains(due(1).shipment_id)),
            (None, false)
        );
    }
}

//! A group as those see it who look after it.

use super::{
    group::ConsumerFigures,
    key::Source,
    runner::{Outlook, Who},
    settings::Start,
    stored::Entry,
};
use crate::wire::persistent_subscriptions::{
    SubscriptionInfo,
    subscription_info::{ConnectionInfo, Measurement},
};

/// What is told of the handling times: which of them in order, in thousandths of their number.
const SHARES: [(&str, usize); 11] = [
    ("Median", 500),
    ("Quintile 1", 200),
    ("Quintile 2", 400),
    ("Quintile 3", 600),
    ("Quintile 4", 800),
    ("Quintile 5", 1000),
    ("90%", 900),
    ("95%", 950),
    ("99%", 990),
    ("99.5%", 995),
    ("99.9%", 999),
];

/// In the protocol's words. `end` is the place of the last event that there is.
pub(super) fn describe(entry: &Entry, outlook: &Outlook, end: Option<u64>) -> SubscriptionInfo {
    let (settings, figures) = (&entry.settings, &outlook.figures);
    let source = &entry.key.stream;
    let place = |place: Option<u64>| place.map(|place| source.place(place)).unwrap_or_default();
    let seconds = outlook.running.as_secs().max(1);
    let connections = figures.consumers.iter().map(|consumer| {
        let who = outlook.who.get(&consumer.id).cloned().unwrap_or_default();
        connection(consumer, who, seconds)
    });
    SubscriptionInfo {
        event_source: source.as_str().to_owned(),
        group_name: entry.key.group.clone(),
        status: status(outlook, end),
        connections: connections.collect(),
        average_per_second: narrow(figures.total / seconds),
        total_items: figures.total.cast_signed(),
        count_since_last_measurement: figures.since_last_measurement.cast_signed(),
        last_checkpointed_event_position: place(figures.saved),
        last_known_event_position: place(end),
        resolve_link_tos: settings.resolve_links,
        start_from: start_from(source, entry.start),
        message_timeout_milliseconds: narrow(settings.message_timeout_millis),
        extra_statistics: settings.extra_statistics,
        max_retry_count: narrow(settings.max_retry_count),
        live_buffer_size: narrow(settings.live_buffer_size),
        buffer_size: narrow(settings.history_buffer_size),
        read_batch_size: narrow(settings.read_batch_size),
        check_point_after_milliseconds: narrow(settings.checkpoint_after_millis),
        min_check_point_count: narrow(settings.min_checkpoint_count),
        max_check_point_count: narrow(settings.max_checkpoint_count),
        read_buffer_count: narrow(figures.waiting),
        live_buffer_count: i64::from(narrow(figures.waiting)),
        retry_buffer_count: narrow(figures.retrying),
        total_in_flight_messages: narrow(figures.held),
        outstanding_messages_count: narrow(figures.outstanding),
        named_consumer_strategy: settings.strategy.as_str().to_owned(),
        max_subscriber_count: narrow(settings.max_subscriber_count),
        parked_message_count: outlook.parked.cast_signed(),
    }
}

fn status(outlook: &Outlook, end: Option<u64>) -> String {
    let reached = outlook.figures.considered.max(outlook.figures.saved) >= end;
    let status = if reached { "Live" } else { "Behind" };
    if outlook.replaying {
        format!("{status}, ReplayingParkedMessages")
    } else {
        status.to_owned()
    }
}

/// Where the group begins, as clients read it: 0 is the beginning, -1 the end.
fn start_from(source: &Source, start: Start) -> String {
    match (start, source) {
        (Start::Beginning, _) => source.place(0),
        (Start::At(place), _) => source.place(place),
        (Start::End, Source::All) => "C:-1/P:-1".to_owned(),
        (Start::End, Source::Stream(_)) => "-1".to_owned(),
    }
}

fn connection(consumer: &ConsumerFigures, who: Who, seconds: u64) -> ConnectionInfo {
    ConnectionInfo {
        from: who.from,
        username: who.user,
        average_items_per_second: narrow(consumer.handled / seconds),
        total_items: consumer.handled.cast_signed(),
        count_since_last_measurement: consumer.since_last_measurement.cast_signed(),
        observed_measurements: measurements(&consumer.times),
        available_slots: narrow(consumer.free),
        in_flight_messages: narrow(consumer.held),
        connection_name: who.connection,
    }
}

/// `times` are sorted.
fn measurements(times: &[u64]) -> Vec<Measurement> {
    let (Some(fastest), Some(highest)) = (times.first(), times.last()) else {
        return vec![];
    };
    let mean = times.iter().sum::<u64>() / times.len() as u64;
    let share = |thousandths: usize| {
        let rank = (thousandths * times.len()).div_ceil(1000);
        times[rank.clamp(1, times.len()) - 1]
    };
    let shares = SHARES.map(|(key, of)| (key, share(of)));
    let all = [("Highest", *highest), ("Mean", mean), ("Fastest", *fastest)]
        .into_iter()
        .chain(shares);
    all.map(|(key, value)| Measurement {
        key: key.to_owned(),
        value: value.cast_signed(),
    })
    .collect()
}

/// The protocol's numbers are small ones.
fn narrow<N>(value: N) -> i32
where
    i32: TryFrom<N>,
{
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handling_times_are_told_by_their_shares() {
        let times: Vec<u64> = (1..=100).collect();
        let told = measurements(&times);
        let value = |key: &str| told.iter().find(|measurement| measurement.key == key).unwrap().value;
        assert_eq!(
            (value("Fastest"), value("Mean"), value("Median"), value("Highest")),
            (1, 50, 50, 100)
        );
        assert_eq!((value("Quintile 1"), value("90%"), value("99.9%")), (20, 90, 100));
        assert!(measurements(&[]).is_empty());
    }
}

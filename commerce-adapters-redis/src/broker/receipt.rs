//! Receipts: which entry of which source was handed out for which time.

use std::sync::Arc;

use commerce_core::port::subscriber::Receipt;

/// A receipt that was read: `1700000000000-5 2 order-events`, without a topic for the group's own stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) entry: String,
    pub(super) deliveries: u32,
    pub(super) topic: Option<Arc<str>>,
}

impl Delivery {
    pub(super) fn write(&self) -> Receipt {
        let topic = self.topic.as_ref().map_or(String::new(), |topic| format!(" {topic}"));
        format!("{} {}{topic}", self.entry, self.deliveries).into()
    }

    /// Nothing for what no receipt can be.
    pub(super) fn read(receipt: &str) -> Option<Self> {
        let mut parts = receipt.splitn(3, ' ');
        let (entry, deliveries, topic) = (parts.next()?, parts.next()?.parse().ok()?, parts.next());
        let (millis, number) = entry.split_once('-')?;
        let (millis, number): (u64, u64) = (millis.parse().ok()?, number.parse().ok()?);
        Some(Self { entry: format!("{millis}-{number}"), deliveries, topic: topic.map(Arc::from) })
    }
}

/// Receipts by source, as scripts count them: the topics behind the group's own stream, and of every delivery
/// the place of its source.
pub(super) fn by_source(receipts: &[Receipt]) -> (Vec<Arc<str>>, Vec<(String, Delivery)>) {
    let mut topics: Vec<Arc<str>> = Vec::new();
    let placed = receipts.iter().filter_map(|receipt| Delivery::read(receipt)).map(|delivery| {
        // The group's own stream is the first, and scripts count from one.
        let place = delivery.topic.as_ref().map_or(1, |topic| {
            let place = topics.iter().position(|known| known == topic).unwrap_or_else(|| {
                topics.push(topic.clone());
                topics.len().saturating_sub(1)
            });
            place.saturating_add(2)
        });
        (place.to_string(), delivery)
    });
    let placed = placed.collect();
    (topics, placed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_come_back() {
        for topic in [None, Some("order-events"), Some("with blanks "), Some("")] {
            let delivery = Delivery { entry: "17-5".to_owned(), deliveries: 3, topic: topic.map(Arc::from) };
            assert_eq!(Delivery::read(&delivery.write()), Some(delivery));
        }
        for wrong in ["", "unknown", "1-1", "1-1 x", "x-1 1", "1 1", "1--1 1", "-1-1 1"] {
            assert_eq!(Delivery::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sources_are_counted_once() {
        let receipts: Vec<Receipt> =
            ["1-0 1 a", "2-0 1", "3-0 1 b", "?", "4-0 1 a"].map(Receipt::from).into();
        let (topics, placed) = by_source(&receipts);
        assert_eq!(topics, ["a", "b"].map(Arc::from));
        assert_eq!(placed.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), ["2", "1", "3", "2"]);
    }
}

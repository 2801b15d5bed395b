//! Products ranked by what was counted of them in windows of time.
//!
//! The windows move with the time of the events, never with a clock: the same log makes the same ranking, whenever it is read.
//! Time is cut into buckets. A product's document has its counts by bucket and their sums over the windows, by which the
//! index sorts. When time enters another bucket, the products counted in the buckets that fall out of a window are summed up
//! anew: so a page costs what is on it, and a product that nobody buys any more goes down without an event of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
    mem,
};

use event_schemas::{
    Category, ProductId, ShopEvent, Timestamp,
    product::{ProductEvent, ProductListed},
};
use serde::{Deserialize, Serialize};

use super::products::set;
use crate::{
    documents::{Collection, IndexKeys, Model, ModelKey, StoreError},
    paging::{Page, id_bytes},
    projection::{Fact, Key, Projection, Unexpected, known},
};

/// The products of a bucket lie in so many documents, so that a sale writes a small one.
const SHARDS: u8 = 64;

/// What is counted, over which windows, and what that makes of a product.
pub trait Ranking: Send + Sync + 'static {
    /// The name of the read model.
    const NAME: &'static str;
    /// Where the events are that count, and those of products.
    const CATEGORIES: &'static [Category];
    /// The bucket of a moment.
    fn bucket(at: Timestamp) -> i64;
    /// How many buckets the windows have, the longer one last.
    const WINDOWS: [i64; 2];
    /// What an event counts for which product; nothing for most events.
    fn counted(event: &ShopEvent) -> impl Iterator<Item = (ProductId, u64)>;
    /// The lists that a product is on with its sums over the windows, each with its rank there: the larger the higher up.
    fn ranks(sums: Sums) -> impl Iterator<Item = (u8, u64)>;
}

/// What was counted in the shorter and in the longer window.
pub type Sums = [u64; 2];

/// The read model of a ranking.
pub struct Ranked<R>(PhantomData<fn() -> R>);

/// What a document of a ranking is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RankedKey {
    /// The time, as far as the events tell.
    Clock,
    /// Some of the products that were counted in a bucket.
    Bucket(i64, u8),
    /// A product.
    Product(ProductId),
}

/// What a ranking keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankedDocument {
    /// The time, as far as the events tell.
    Clock(Clock),
    /// Some of the products that were counted in a bucket.
    Bucket(BTreeSet<ProductId>),
    /// A product.
    Product(RankedProduct),
}

/// The time, as far as the events tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The newest bucket that anything happened in.
    now: i64,
    /// The buckets in the longer window that have anything, with a bit for each shard.
    used: BTreeMap<i64, u64>,
}

/// A product and what was counted of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedProduct {
    /// The product.
    pub id: ProductId,
    /// Path of category names.
    pub category: String,
    /// It can be found.
    listed: bool,
    /// In the longer window.
    counts: BTreeMap<i64, u64>,
    /// Over the windows.
    pub sums: Sums,
    /// Events of the log up to here are counted.
    counted: u64,
}

impl ModelKey for RankedKey {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Clock => b"c".to_vec(),
            Self::Bucket(bucket, shard) => [b"b".as_slice(), &bucket.to_be_bytes(), &[*shard]].concat(),
            Self::Product(id) => [b"p".as_slice(), &id_bytes(*id)].concat(),
        }
    }
}

impl<R: Ranking> Model for Ranked<R> {
    const NAME: &'static str = R::NAME;
    type Key = RankedKey;
    type Document = RankedDocument;

    fn index(document: &RankedDocument) -> IndexKeys {
        let RankedDocument::Product(product) = document else {
            return vec![];
        };
        let (mut keys, id) = (vec![], id_bytes(product.id));
        for (list, rank) in R::ranks(product.sums).filter(|_| product.listed) {
            let entry = |path| [&of_category(list, path), (!rank).to_be_bytes().as_slice(), &id].concat();
            keys.push(entry(""));
            let ends = product.category.match_indices('/').map(|(end, _)| end);
            let paths = ends.chain([product.category.len()]).map(|end| &product.category[..end]);
            keys.extend(paths.filter(|path| !path.is_empty()).map(entry));
        }
        keys
    }
}

/// The start of the keys of a category's list.
fn of_category(list: u8, path: &str) -> Vec<u8> {
    [&[list], path.as_bytes(), &[0]].concat()
}

impl<R: Ranking> Collection<Ranked<R>> {
    /// A list's products, the highest first: of a category with those beneath it, or of all with an empty one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        list: u8,
        category: &str,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<RankedProduct>, StoreError> {
        let page = self.page(&of_category(list, category), after, size).await?;
        let product = |document| match document {
            RankedDocument::Product(product) => Some(product),
            RankedDocument::Clock(_) | RankedDocument::Bucket(_) => None,
        };
        Ok(Page {
            items: page.items.into_iter().filter_map(product).collect(),
            next: page.next,
        })
    }
}

/// Fills a ranking.
pub struct Counting<R> {
    /// As its document has it; none before that was read.
    clock: Option<Clock>,
    /// Buckets that fell out of a window with the event under way.
    ended: BTreeSet<RankedKey>,
    /// Products that were counted in them.
    outdated: BTreeSet<RankedKey>,
    ranking: PhantomData<fn() -> R>,
}

impl<R: Ranking> Projection for Counting<R> {
    type Model = Ranked<R>;
    const CATEGORIES: &'static [Category] = R::CATEGORIES;

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<RankedKey>) -> Result<(), Unexpected> {
        let bucket = R::bucket(fact.at);
        let counted = || R::counted(fact.event).map(|(product, _)| product);
        let known = |clock: &Clock| clock.now >= bucket && counted().all(|product| clock.has(bucket, shard(product)));
        if !self.clock.as_ref().is_some_and(known) {
            keys.push(RankedKey::Clock);
        }
        if let ShopEvent::Product(event) = fact.event {
            keys.push(RankedKey::Product(event.product_id()));
        }
        for product in counted() {
            keys.extend([RankedKey::Bucket(bucket, shard(product)), RankedKey::Product(product)]);
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        key: &Key<Self>,
        document: &mut Option<RankedDocument>,
    ) -> Result<bool, Unexpected> {
        match key {
            RankedKey::Clock => Ok(self.turn_clock(fact, document)),
            RankedKey::Bucket(bucket, shard) => Ok(self.fill(fact, *bucket, *shard, document)),
            RankedKey::Product(id) => self.count(fact, *id, document),
        }
    }

    fn follow_up(&mut self, _: &Fact<'_>, keys: &mut Vec<RankedKey>) {
        let next = if self.ended.is_empty() {
            &mut self.outdated
        } else {
            &mut self.ended
        };
        let named = keys.len();
        for key in mem::take(next) {
            if !keys[..named].contains(&key) {
                keys.push(key);
            }
        }
    }

    fn is_source(key: &RankedKey) -> bool {
        !matches!(key, RankedKey::Product(_))
    }
}

impl<R: Ranking> Counting<R> {
    /// The first bucket of the longer window.
    fn oldest(&self) -> i64 {
        self.clock
            .as_ref()
            .map_or(i64::MIN, |clock| clock.now - R::WINDOWS[1] + 1)
    }

    fn turn_clock(&mut self, fact: &Fact<'_>, document: &mut Option<RankedDocument>) -> bool {
        let bucket = R::bucket(fact.at);
        let before = match document {
            Some(RankedDocument::Clock(clock)) => Some(clock.clone()),
            _ => None,
        };
        let mut clock = before.clone().unwrap_or_else(|| Clock {
            now: bucket,
            used: BTreeMap::new(),
        });
        let then = clock.now;
        clock.now = bucket.max(then);
        let (now, [_, longest]) = (clock.now, R::WINDOWS);
        for window in R::WINDOWS {
            let fell_out = clock
                .used
                .range(then - window + 1..(now - window + 1).max(then - window + 1));
            for (bucket, shards) in fell_out {
                let used = (0..SHARDS).filter(|shard| shards & bit(*shard) != 0);
                self.ended.extend(used.map(|shard| RankedKey::Bucket(*bucket, shard)));
            }
        }
        clock.used.retain(|bucket, _| *bucket > now - longest);
        if bucket > now - longest {
            for (product, _) in R::counted(fact.event) {
                *clock.used.entry(bucket).or_default() |= bit(shard(product));
            }
        }
        let changed = before.as_ref() != Some(&clock);
        self.clock = Some(clock.clone());
        *document = Some(RankedDocument::Clock(clock));
        changed
    }

    /// Notes what was counted in the bucket under way, and learns what was counted in one that has ended.
    fn fill(&mut self, fact: &Fact<'_>, bucket: i64, shard_of: u8, document: &mut Option<RankedDocument>) -> bool {
        let oldest = self.oldest();
        if bucket == R::bucket(fact.at) && bucket >= oldest {
            let empty = || RankedDocument::Bucket(BTreeSet::new());
            let RankedDocument::Bucket(products) = document.get_or_insert_with(empty) else {
                return false;
            };
            let (before, counted) = (products.len(), R::counted(fact.event).map(|(product, _)| product));
            products.extend(counted.filter(|product| shard(*product) == shard_of));
            return products.len() > before;
        }
        if let Some(RankedDocument::Bucket(products)) = document {
            self.outdated.extend(products.iter().copied().map(RankedKey::Product));
        }
        bucket < oldest && document.take().is_some()
    }

    fn count(&self, fact: &Fact<'_>, id: ProductId, document: &mut Option<RankedDocument>) -> Result<bool, Unexpected> {
        let counted = R::counted(fact.event).filter(|(counted, _)| *counted == id);
        let count = counted.fold(0, |sum: u64, (_, count)| sum.saturating_add(count));
        let event = match fact.event {
            ShopEvent::Product(event) => Some(event).filter(|event| event.product_id() == id),
            _ => None,
        };
        if let (Some(ProductEvent::ProductListed(listed)), None) = (event, &document) {
            *document = Some(RankedDocument::Product(RankedProduct::new(listed)));
            return Ok(true);
        }
        if document.is_none() && count == 0 && event.is_none() {
            // A bucket has ended in which it was counted without ever being known.
            return Ok(false);
        }
        let RankedDocument::Product(product) = known(document, "a product")? else {
            return Ok(false);
        };
        let before = product.clone();
        match event {
            Some(ProductEvent::ProductRevised(revised)) => set(&mut product.category, &revised.category),
            Some(ProductEvent::ProductDelisted(_)) => product.listed = false,
            _ => {}
        }
        let (bucket, oldest) = (R::bucket(fact.at), self.oldest());
        if count > 0 && bucket >= oldest && product.counted < fact.position {
            product.counted = fact.position;
            let sum = product.counts.entry(bucket).or_default();
            *sum = sum.saturating_add(count);
        }
        product.counts.retain(|bucket, _| *bucket >= oldest);
        let [_, longest] = R::WINDOWS;
        product.sums = R::WINDOWS.map(|window| product.sum_from(oldest + longest - window));
        Ok(*product != before)
    }
}

impl RankedProduct {
    fn new(listed: &ProductListed) -> Self {
        Self {
            id: listed.product_id,
            category: listed.category.clone(),
            listed: true,
            counts: BTreeMap::new(),
            sums: [0, 0],
            counted: 0,
        }
    }

    fn sum_from(&self, bucket: i64) -> u64 {
        self.counts.range(bucket..).map(|(_, count)| count).sum()
    }
}

impl Clock {
    fn has(&self, bucket: i64, shard: u8) -> bool {
        self.used.get(&bucket).is_some_and(|shards| shards & bit(shard) != 0)
    }
}

/// Which of a bucket's documents a product is in: identifiers end in chance.
fn shard(product: ProductId) -> u8 {
    product.uuid().as_bytes()[15] % SHARDS
}

const fn bit(shard: u8) -> u64 {
    1 << shard
}

impl<R> Default for Counting<R> {
    fn default() -> Self {
        Self {
            clock: None,
            ended: BTreeSet::new(),
            outdated: BTreeSet::new(),
            ranking: PhantomData,
        }
    }
}

impl<R> fmt::Debug for Counting<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counting")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for Ranked<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ranked")
    }
}
